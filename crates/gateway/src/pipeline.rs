//! The street: the ten steps in order, for every request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use rookery_world::World;
use time::format_description::well_known::Rfc3339;

use crate::action::{self, Actions, Failure, Found, Outcome, Place};
use crate::address::Address;
use crate::arrival::Arrival;
use crate::call::{Language, RequestId};
use crate::caller::{self, Refused};
use crate::common_parameters::{CommonParameters, Style};
use crate::error::CommonError;
use crate::identity::Identity;
use crate::rate::{Counted, Rates};
use crate::trace::{Record, TracedError, Traces};
use crate::{address, arrival, common_parameters, parameters, reply};

/// What the gateway can be told.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Calls per second for each action and identity; none where absent.
    pub rate_limit: Option<u32>,
    /// How many requests the trace keeps.
    pub traces: usize,
}

/// The front door of the API.
pub struct Gateway {
    world: World,
    identity: Arc<dyn Identity>,
    actions: Actions,
    rates: Rates,
    traces: Traces,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateway")
    }
}

/// A refusal somewhere on the street, before an action ran.
struct Stopped {
    failure: Failure,
    computed: Option<Box<caller::Computed>>,
}

impl Gateway {
    /// A gateway to `actions`, whose callers `identity` knows.
    #[must_use]
    pub fn new(world: World, identity: Arc<dyn Identity>, actions: Actions, options: Options) -> Self {
        Self {
            world,
            identity,
            actions,
            rates: Rates::new(options.rate_limit),
            traces: Traces::new(options.traces),
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
        let mut arrival = arrival::announce(&parts);
        let mut record = Box::new(Record {
            request_id: request_id.to_string(),
            received_at: self.world.now().format(&Rfc3339).unwrap_or_default(),
            peer: peer.to_string(),
            method: arrival.method.to_string(),
            host: String::from_utf8_lossy(&arrival.host).into_owned(),
            path: arrival.path.clone(),
            ..Record::default()
        });
        let language = common_parameters::language(&arrival);
        let result = match arrival::receive(&mut arrival, body).await {
            Ok(()) => self.walk(&arrival, request_id, &mut record).await,
            Err(error) => Err(Stopped { failure: Failure::common(&error, language), computed: None }),
        };
        let result = result.map_err(|stopped| {
            record.computed = stopped.computed.map(|computed| *computed);
            stopped.failure
        });
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
        record.duration_micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.traces.keep(request_id, record);
        reply::write(&result, request_id)
    }

    async fn walk(
        &self,
        arrival: &Arrival,
        request_id: RequestId,
        record: &mut Record,
    ) -> Result<Vec<u8>, Stopped> {
        let stop = |error: &CommonError, language| Stopped {
            failure: Failure::common(error, language),
            computed: None,
        };
        let asked_language = common_parameters::language(arrival);
        let address = address::read(&arrival.host, rookery_api::PRODUCTS);
        let common = common_parameters::read(arrival).map_err(|error| stop(&error, asked_language))?;
        let language = common.language;
        note(record, &common);

        if let Some(found) = unsigned_action(arrival, &address, &common) {
            // The two actions whose proof is an assertion and not a signature; neither is there yet.
            return Err(stop(&CommonError::NotImplemented(found.shape.name), language));
        }
        let now = self.world.unix_seconds();
        let verified = caller::verify(arrival, &address, &common, &*self.identity, now)
            .map_err(|refused| refuse(refused, language))?;
        record.secret_id = Some(verified.caller.secret_id.clone());
        record.account = Some(verified.caller.account.uin);
        record.reading = Some(verified.reading);

        let found = action::find(&address, verified.scope_service.as_deref(), &common)
            .map_err(|error| stop(&error, language))?;
        record.product = Some(found.product.name);
        let region = action::region(&found, &address, &common).map_err(|error| stop(&error, language))?;
        record.region = Some(region.clone());
        let handler = self
            .actions
            .handler(&found)
            .ok_or_else(|| stop(&CommonError::NotImplemented(found.shape.name), language))?;
        let counted = Counted {
            action: (found.product.name, found.position),
            access_region: address.access_region.map_or("", |region| region.code),
            uin: verified.caller.uin(),
        };
        self.rates.count(counted, now).map_err(|error| stop(&error, language))?;
        let value =
            parameters::read(arrival, &common, found.shape).map_err(|error| stop(&error, language))?;

        let identity = Arc::clone(&self.identity);
        let place = Place { caller: verified.caller, region, language, request_id, identity };
        let Outcome { asked, result } = handler(value, place).await;
        record.permission = asked;
        result.map_err(|failure| Stopped { failure, computed: None })
    }
}

/// The action of a request that says `Authorization: SKIP`, where it is one that may.
fn unsigned_action(arrival: &Arrival, address: &Address, common: &CommonParameters) -> Option<Found> {
    let skips = arrival.header("authorization").is_some_and(|value| value == "SKIP");
    let found = if skips { action::find(address, None, common).ok()? } else { return None };
    found.shape.unsigned.then_some(found)
}

fn note(record: &mut Record, common: &CommonParameters) {
    record.client.clone_from(&common.client);
    record.action = Some(common.action.clone());
    record.version = Some(common.version.clone());
    record.signature = Some(if common.style == Style::Header { "v3" } else { "v1" });
}

fn refuse(refused: Refused, language: Language) -> Stopped {
    let mut failure = Failure::common(&refused.error, language);
    failure.internal = refused.internal;
    Stopped { failure, computed: refused.computed }
}
