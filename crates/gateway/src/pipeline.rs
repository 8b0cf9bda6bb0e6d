//! The street: the ten steps in order, for every request.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use ipnet::IpNet;
use rookery_api::shape::ProductShape;
use rookery_world::World;

use crate::action::{self, Actions, Failure, Found, Outcome, Place};
use crate::address::Address;
use crate::admission::Admission;
use crate::arrival::Arrival;
use crate::call::{Answered, Language, RequestId};
use crate::caller::{Computed, Refused, Verified, Verifier};
use crate::common_parameters::{CommonParameters, Style};
use crate::diagnosis::LikelyCause;
use crate::error::CommonError;
use crate::identity::Identity;
use crate::rate::{Counted, Limits, Rates};
use crate::replay::ReplayGuard;
use crate::trace::{Record, TracedError, Traces};
use crate::{address, arrival, common_parameters, masking, parameters, reply};

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

    /// Answers one request.
    pub async fn answer<B>(&self, request: Request<B>, peer: SocketAddr) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes>,
    {
        let started = Instant::now();
        let request_id = RequestId(self.world.uuid());
        let (parts, body) = request.into_parts();
        let mut arrival = arrival::announce(parts);
        let mut record = Box::new(Record::new(request_id, self.world.now(), peer));
        record.method = arrival.method.to_string();
        record.host = String::from_utf8_lossy(&arrival.host).into_owned();
        record.path.clone_from(&arrival.path);
        record.user_agent = arrival.header("user-agent").map(Cow::into_owned);
        let language = common_parameters::language(&arrival);
        let arrived = arrival::receive(&mut arrival, body).await;
        let result = match arrived.and_then(|()| self.admission.admit(peer.ip())) {
            Ok(()) => self.walk(&arrival, &mut record).await,
            Err(error) => Err(Failure::common(&error, language).into()),
        };
        let result = result.map_err(|stopped| {
            record.computed = stopped.computed.map(|computed| *computed);
            record.likely_cause = stopped.likely_cause.map(|cause| *cause);
            stopped.failure
        });
        let result = reply::within_limit(result, language);
        if let Err(failure) = &result {
            if let Some(internal) = &failure.internal {
                tracing::error!(request_id = %request_id, action = record.action, internal, "a call failed inside");
            }
            record.error = Some(TracedError {
                code: failure.code,
                message: failure.message.clone(),
                internal: failure.internal.clone(),
            });
        }
        let mut reply = reply::write(&result, request_id);
        reply.extensions_mut().insert(Answered {
            request_id,
            product: record.product,
            action: record.action.clone(),
            principal: record.principal,
            code: record.error.as_ref().map(|error| error.code),
        });
        record.reply_bytes =
            reply.body().size_hint().exact().and_then(|size| size.try_into().ok()).unwrap_or(0);
        record.duration_micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.traces.keep(record);
        reply
    }

    async fn walk(&self, arrival: &Arrival, record: &mut Record) -> Result<Vec<u8>, Stopped> {
        let stop = |error: &CommonError, language| Stopped::from(Failure::common(error, language));
        let address = address::read(&arrival.host, self.actions.catalogue());
        record.access_region = address.access_region.map(|region| region.code);
        let common = common_parameters::read(arrival)
            .map_err(|error| stop(&error, common_parameters::language(arrival)))?;
        let language = common.language;
        note(record, &common);

        if let Some(found) = unsigned_action(self.actions.catalogue(), arrival, &address, &common) {
            // The two actions whose proof is an assertion and not a signature; neither is there yet.
            return Err(stop(&CommonError::NotImplemented(found.shape.name), language));
        }
        let now = self.world.unix_seconds();
        let verified = self
            .verifier
            .verify(arrival, &address, &common, now)
            .map_err(|refused| refuse(refused, language))?;
        note_caller(record, &verified);
        let Verified { caller, scope_service, .. } = verified;

        let found = action::find(self.actions.catalogue(), &address, scope_service.as_deref(), &common)
            .map_err(|error| stop(&error, language))?;
        record.product = Some(found.product.name);
        let region = action::region(&found, &address, &common).map_err(|error| stop(&error, language))?;
        record.region = Some(region.clone());
        let handler = self
            .actions
            .handler(&found)
            .ok_or_else(|| stop(&CommonError::NotImplemented(found.shape.name), language))?;
        let counted = Counted {
            found,
            access_region: record.access_region.unwrap_or_default(),
            uin: caller.uin(),
            account: caller.account.uin,
            address: record.peer.ip(),
        };
        self.rates.count(&counted).map_err(|error| stop(&error, language))?;
        let value = parameters::read(arrival, &common, &found).map_err(|error| stop(&error, language))?;
        record.parameters = Some(masking::write(&value, found.shape.input));

        let identity = Arc::clone(self.verifier.identity());
        let place = Place { caller, region, language, request_id: record.request_id, identity };
        let Outcome { asked, result } = handler(value, place).await;
        record.permission = asked;
        result.map(|members| reply::warn_of_deprecation(members, &found, language)).map_err(Stopped::from)
    }
}

/// The action of a request that says `Authorization: SKIP`, where it is one that may.
fn unsigned_action(
    catalogue: &'static [&'static ProductShape],
    arrival: &Arrival,
    address: &Address,
    common: &CommonParameters,
) -> Option<Found> {
    let skips = arrival.header("authorization").is_some_and(|value| value == "SKIP");
    let found = if skips { action::find(catalogue, address, None, common).ok()? } else { return None };
    found.shape.unsigned.then_some(found)
}

fn note(record: &mut Record, common: &CommonParameters) {
    record.client.clone_from(&common.client);
    record.action = Some(common.action.clone());
    record.version = Some(common.version.clone());
    record.signature = Some(if common.style == Style::Header { "v3" } else { "v1" });
}

fn note_caller(record: &mut Record, verified: &Verified) {
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
