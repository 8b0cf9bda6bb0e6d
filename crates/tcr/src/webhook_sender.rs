//! Sending what [`webhook_deliveries`](crate::webhook_deliveries) has queued.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue, Request};
use opentelemetry::trace::SpanKind;
use rookery_client::{Transport, TransportError, Trust};
use rookery_store::{Read as _, Regional, StoreError, Transaction};

use crate::Tcr;
use crate::error::Error;
use crate::spans::{self, of_instance, spanned};
use crate::webhook_deliveries::{self, DeliveryRow, WebhookDeliveries};
use crate::webhooks::{Target, WebhookTriggers};

/// How long a receiver may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// Deliveries under way at once.
const TOGETHER: usize = 16;
/// Rows taken at once.
const BATCH: usize = 100;
const AGENT: &str = concat!("rookery/", env!("CARGO_PKG_VERSION"));

/// What sends.
pub(crate) struct Sender(Transport);

impl Sender {
    pub(crate) fn new() -> Result<Self, TransportError> {
        Ok(Self(Transport::new(&Trust::Public)?.timeout(TIMEOUT)))
    }

    /// Whether the receiver has taken it; if not, why.
    async fn send(&self, target: &Target, payload: &str) -> Result<(), String> {
        let mut request = Request::post(&target.address)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT)
            .body(Bytes::from(payload.to_owned()))
            .map_err(|error| error.to_string())?;
        for (name, values) in &target.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            // A header of the user's own replaces ours, and has as many values as it was given.
            request.headers_mut().remove(&name);
            for value in values {
                let value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
                request.headers_mut().append(name.clone(), value);
            }
        }
        spans::tell(request.headers_mut());
        let reply = self.0.send(request).await.map_err(|error| error.to_string())?;
        if reply.status().is_success() { Ok(()) } else { Err(format!("it answered {}", reply.status())) }
    }
}

impl Tcr {
    /// Sends what is due. What fails is noted and tried again.
    pub(crate) async fn deliver_webhooks(&self) -> Result<(), Error> {
        loop {
            let due = self.store.read(|view| webhook_deliveries::due(view, self.now(), BATCH))?;
            if due.is_empty() {
                return Ok(());
            }
            // Each try moves its row into the future or ends it, so the next batch is another one.
            let sent = futures_util::stream::iter(due)
                .map(|(scope, key, row)| self.deliver(scope, key, row))
                .buffer_unordered(TOGETHER);
            for outcome in sent.collect::<Vec<_>>().await {
                outcome?;
            }
        }
    }

    async fn deliver(&self, scope: Regional, key: (String, i64), row: DeliveryRow) -> Result<(), Error> {
        let trigger =
            self.store.read(|view| view.get::<WebhookTriggers>(&scope, &(key.0.clone(), row.trigger)))?;
        let target = match trigger {
            Some(trigger) => trigger.open(&self.seal, &key.0)?.into_iter().nth(row.target),
            None => None,
        };
        let outcome = match &target {
            Some(target) => {
                let send = self.webhooks.send(target, &row.payload);
                spanned("deliver webhook", SpanKind::Client, || of_instance(&key.0, key.1), send).await
            }
            None => Err("the target is no longer there".to_owned()),
        };
        if let Err(error) = &outcome {
            let (instance, delivery) = &key;
            tracing::warn!(instance, delivery, trigger = row.trigger, error, "a webhook was not taken");
        }
        let now = self.now();
        let write = move |tx: &mut Transaction<'_>| {
            // Gone with its trigger meanwhile.
            let Some(mut row) = tx.get::<WebhookDeliveries>(&scope, &key)? else { return Ok(()) };
            row.tried(outcome.is_ok(), now);
            tx.put::<WebhookDeliveries>(&scope, &key, &row)
        };
        Ok(self.store.write::<_, StoreError, _>(write).await?)
    }
}
