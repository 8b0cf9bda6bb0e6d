//! The street: the ten steps in order, for every request.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use ipnet::IpNet;
use rookery_api::shape::ProductShape;
use rookery_world::World;

use crate::action::{self, Actions, Answer, Begun, Failure, Found, Place};
use crate::address::Address;
use crate::admission::Admission;
use crate::arrival::Arrival;
use crate::call::{Answered, Caller, Language, RequestId};
use crate::caller::{Computed, Refused, Verified, Verifier};
use crate::common_parameters::{CommonParameters, Style};
use crate::diagnosis::LikelyCause;
use crate::error::CommonError;
use crate::identity::Identity;
use crate::listen::Connection;
use crate::permission::Circumstances;
use crate::proxy::RefusedTarget;
use crate::rate::{Counted, Limits, Rates};
use crate::replay::ReplayGuard;
use crate::trace::{Record, TracedError, Traces};
use crate::{address, arrival, common_parameters, masking, never_read, parameters, reply};

/// What the gateway can be told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Calls per second of each action, account and address; no limits by default.
    pub rates: Limits,
    /// Whether a v1 request is answered once only, see [`crate::replay`].
    pub replay_guard: bool,
    /// How many requests the trace keeps.
    pub traces: usize,
    /// The networks that may call; every one where the list is empty.
    pub allow: Vec<IpNet>,
    /// The networks that may not call, whatever `allow` says.
    pub deny: Vec<IpNet>,
}

/// What the codes of failures that are nobody's fault but ours begin with.
const INTERNAL: &str = "InternalError";
/// What the trace says in place of a code, for what the proxy refuses: its answer is no reply of the API.
const REFUSED_BY_PROXY: &str = "RefusedByProxy";

/// The front door of the API.
pub struct Gateway {
    world: World,
    verifier: Verifier,
    actions: Actions,
    rates: Rates,
    traces: Traces,
    admission: Admission,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateway")
    }
}

/// An action that was let in, and has not run yet.
struct Admitted {
    answer: Answer,
    found: Found,
    language: Language,
}

/// A refusal somewhere on the street, before an action ran.
struct Stopped {
    failure: Failure,
    computed: Option<Box<Computed>>,
    likely_cause: Option<Box<LikelyCause>>,
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self { failure, computed: None, likely_cause: None }
    }
}

impl Gateway {
    /// A gateway to `actions`, whose callers `identity` knows.
    #[must_use]
    pub fn new(world: World, identity: Arc<dyn Identity>, actions: Actions, options: Options) -> Self {
        let replays = options.replay_guard.then(ReplayGuard::default);
        Self {
            rates: Rates::new(options.rates, world.clone()),
            world,
            verifier: Verifier::new(identity, replays),
            actions,
            traces: Traces::new(options.traces),
            admission: Admission::new(options.allow, options.deny),
        }
    }

    /// The last requests.
    #[must_use]
    pub fn traces(&self) -> &Traces {
        &self.traces
    }

    /// The registered actions.
    #[must_use]
    pub fn actions(&self) -> &Actions {
        &self.actions
    }

    /// Who answers for keys and rights.
    #[must_use]
    pub fn identity(&self) -> &Arc<dyn Identity> {
        self.verifier.identity()
    }

    /// Writes down that a request through the proxy was refused. It was for somebody else, so nothing of it is read but where it was going.
    pub fn note_refusal(&self, refused: RefusedTarget<'_>) -> RequestId {
        let request_id = RequestId(self.world.uuid());
        let mut record = Box::new(Record::new(request_id, self.world.now(), refused.peer));
        let (uri, headers) = (refused.request.uri(), refused.request.headers());
        record.method.clone_from(refused.request.method());
        record.host = uri.authority().map(ToString::to_string).unwrap_or_default();
        record.path = Cow::Owned(uri.path().to_owned());
        let user_agent = headers.get(http::header::USER_AGENT);
        record.user_agent = user_agent.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        record.error = Some(Box::new(TracedError {
            code: REFUSED_BY_PROXY,
            message: refused.words.to_owned(),
            detail: None,
            internal: None,
        }));
        self.traces.keep(record);
        request_id
    }

    /// Answers one request. A bare address is a connection without TLS.
    pub async fn answer<B>(
        &self,
        request: Request<B>,
        connection: impl Into<Connection>,
    ) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes>,
    {
        self.answer_and_tell(request, connection).await.0
    }

    /// Answers one request, and tells what became of it.
    pub async fn answer_and_tell<B>(
        &self,
        request: Request<B>,
        connection: impl Into<Connection>,
    ) -> (Response<Full<Bytes>>, Answered)
    where
        B: Body<Data = Bytes>,
    {
        let Connection { peer, secure, patience } = connection.into();
        let started = Instant::now();
        let request_id = RequestId(self.world.uuid());
        let (parts, body) = request.into_parts();
        let mut arrival = arrival::announce(parts);
        let mut record = Box::new(Record::new(request_id, self.world.now(), peer));
        record.method.clone_from(&arrival.method);
        record.host = String::from_utf8_lossy(arrival.host()).into_owned();
        if arrival.path() != "/" {
            record.path = Cow::Owned(arrival.path().to_owned());
        }
        record.user_agent = arrival.header(http::header::USER_AGENT).map(str::to_owned);
        let language = common_parameters::language(&arrival);
        let arrived = arrival::receive(&mut arrival, body, patience).await;
        let walked = match arrived.and_then(|()| self.admission.admit(peer.ip())) {
            Ok(()) => self.walk(&arrival, secure, &mut record),
            Err(error) => Err(Failure::common(&error, language).into()),
        };
        // What an action needs of the message it has by now.
        drop(arrival);
        let result = match walked {
            Ok(Admitted { answer, found, language }) => {
                let members = answer.await;
                members.map(|members| reply::warn_of_deprecation(members, &found, language))
            }
            Err(stopped) => {
                record.computed = stopped.computed;
                record.likely_cause = stopped.likely_cause;
                Err(stopped.failure)
            }
        };
        let result = reply::within_limit(result, language);
        if let Err(failure) = &result {
            // What is refused for a cause inside, a key that does not exist say, is in the trace.
            if let Some(internal) = &failure.internal
                && failure.code.starts_with(INTERNAL)
            {
                tracing::error!(request_id = %request_id, action = record.action.as_deref(), internal, "a call failed inside");
            }
            record.error = Some(Box::new(TracedError {
                code: failure.code,
                message: failure.message.clone(),
                detail: failure.detail.clone(),
                internal: failure.internal.clone(),
            }));
        }
        let reply = reply::write(result, request_id);
        let took = started.elapsed();
        let answered = Answered {
            request_id,
            product: record.product,
            action: record.action.clone(),
            principal: record.principal,
            code: record.error.as_ref().map(|error| error.code),
            took,
        };
        record.reply_bytes =
            reply.body().size_hint().exact().and_then(|size| size.try_into().ok()).unwrap_or(0);
        record.duration_micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.traces.keep(record);
        (reply, answered)
    }

    /// Everything between the whole message and the action, none of which waits for anything.
    fn walk(&self, arrival: &Arrival, secure: bool, record: &mut Record) -> Result<Admitted, Stopped> {
        let stop = |error: &CommonError, language| Stopped::from(Failure::common(error, language));
        let address = address::read(arrival.host(), self.actions.catalogue());
        record.access_region = address.access_region.map(|region| region.code);
        let common = common_parameters::read(arrival)
            .map_err(|error| stop(&error, common_parameters::language(arrival)))?;
        note(record, &common);
        let result = self.admit(arrival, &address, &common, secure, record);
        if record.product.is_none() {
            // Not found, or not looked for: what it is called is the client's word.
            record.action = Some(Cow::Owned(common.action.clone().into_owned()));
            record.version = Some(Cow::Owned(common.version.clone().into_owned()));
        }
        result
    }

    fn admit(
        &self,
        arrival: &Arrival,
        address: &Address,
        common: &CommonParameters<'_>,
        secure: bool,
        record: &mut Record,
    ) -> Result<Admitted, Stopped> {
        let stop = |error: &CommonError, language| Stopped::from(Failure::common(error, language));
        let language = common.language;
        let (caller, found) =
            if let Some(found) = unsigned_action(self.actions.catalogue(), arrival, address, common) {
                // The proof of these two is an assertion, which the action itself looks at.
                (Caller::anonymous(), found)
            } else {
                let now = record.received_at.unix_timestamp();
                let verified = self
                    .verifier
                    .verify(arrival, address, common, now)
                    .map_err(|refused| refuse(refused, language))?;
                note_caller(record, &verified);
                let Verified { caller, scope_service, .. } = verified;
                let found = action::find(self.actions.catalogue(), address, scope_service, common)
                    .map_err(|error| stop(&error, language))?;
                (caller, found)
            };
        note_action(record, &found);
        let region = action::region(&found, address, common).map_err(|error| stop(&error, language))?;
        record.region = Some(region);
        record.never_read = never_read::of_message(arrival, common, !region.is_empty());
        let registered = self.actions.registered(&found).map_err(|error| stop(&error, language))?;
        let counted = Counted {
            found,
            access_region: record.access_region.unwrap_or_default(),
            uin: caller.uin(),
            account: caller.account.uin,
            address: record.peer.ip(),
        };
        self.rates.count(&counted).map_err(|error| stop(&error, language))?;
        let value = parameters::read(arrival, common, &found).map_err(|error| stop(&error, language))?;
        record.parameters = Some(masking::write(&value, found.shape.input));
        let unread = never_read::sent(&value, found.shape.input, registered.unread);
        record.never_read.extend(unread.map(Cow::Borrowed));

        let circumstances =
            Circumstances { source: record.peer.ip(), now: record.received_at, secure: Some(secure) };
        let (request_id, region) = (record.request_id, region.to_owned());
        let place = Place { caller, region, language, request_id, circumstances };
        let Begun { asked, answer } = (registered.handler)(value, place, &**self.verifier.identity());
        record.permission = asked;
        Ok(Admitted { answer: answer?, found, language })
    }
}

/// The action of a request that says `Authorization: SKIP`, where it is one that may.
fn unsigned_action(
    catalogue: &'static [&'static ProductShape],
    arrival: &Arrival,
    address: &Address,
    common: &CommonParameters<'_>,
) -> Option<Found> {
    let skips = arrival.header(http::header::AUTHORIZATION).is_some_and(|value| value == "SKIP");
    let found = if skips { action::find(catalogue, address, None, common).ok()? } else { return None };
    found.shape.unsigned.then_some(found)
}

fn note(record: &mut Record, common: &CommonParameters<'_>) {
    record.client = common.client.as_deref().map(str::to_owned);
    record.signature = Some(if common.style == Style::Header { "v3" } else { "v1" });
}

fn note_action(record: &mut Record, found: &Found) {
    record.product = Some(found.product.name);
    record.version = Some(Cow::Borrowed(found.product.version));
    record.action = Some(Cow::Borrowed(found.shape.name));
}

fn note_caller(record: &mut Record, verified: &Verified<'_>) {
    record.secret_id = Some(verified.caller.secret_id.clone());
    record.account = Some(verified.caller.account.uin);
    record.principal = Some(verified.caller.uin());
    record.reading = Some(verified.reading);
}

fn refuse(refused: Refused, language: Language) -> Stopped {
    let mut failure = Failure::common(&refused.error, language);
    failure.internal = refused.internal;
    Stopped { failure, computed: refused.computed, likely_cause: refused.likely_cause }
}
