//! How spans reach a collector: through the transport of Rookery's own client.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use rookery_client::{Transport, TransportError, Trust};
use tokio::runtime::Handle;

/// A collector's HTTP side. Says once that it cannot be reached, and once that it can be again.
pub(super) struct Collector {
    transport: Transport,
    /// The exporter's own thread has no runtime.
    runtime: Handle,
    failing: AtomicBool,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

impl Collector {
    /// A collector whose certificate `authority` has signed, or one of the public authorities.
    pub(super) fn new(
        authority: Option<Vec<u8>>,
        timeout: Duration,
        runtime: Handle,
    ) -> Result<Self, TransportError> {
        let trust = authority.map_or(Trust::Public, Trust::Authority);
        let transport = Transport::new(&trust)?.timeout(timeout);
        Ok(Self { transport, runtime, failing: AtomicBool::new(false) })
    }

    fn note(&self, failure: Option<&str>) {
        match (self.failing.swap(failure.is_some(), Ordering::Relaxed), failure) {
            (false, Some(error)) => {
                tracing::warn!(error, "traces cannot be sent; what waits too long is dropped");
            }
            (true, None) => tracing::info!("traces can be sent again"),
            _ => {}
        }
    }
}

// The lifetimes are those that the trait's own macro writes.
impl HttpClient for Collector {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let transport = self.transport.clone();
            let sent = self.runtime.spawn(async move { transport.send(request).await });
            let reply = match sent.await {
                Ok(reply) => reply.map_err(HttpError::from),
                // The runtime ends.
                Err(error) => Err(error.into()),
            };
            match &reply {
                Ok(reply) if reply.status().is_success() => self.note(None),
                Ok(reply) => self.note(Some(&format!("the collector answered {}", reply.status()))),
                Err(error) => self.note(Some(&error.to_string())),
            }
            reply
        })
    }
}
