//! Whether the cloud takes writes: asked for real, once a second at most.

use std::time::{Duration, Instant};

use rookery_registry::Registry;
use tokio::sync::Mutex;

/// How long an answer is given again.
const FRESH: Duration = Duration::from_secs(1);

/// What takes longer than this is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last answer.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    /// Whoever asks meanwhile waits for the same answer.
    pub(crate) async fn ask(&self, registry: &Registry) -> bool {
        let mut last = self.0.lock().await;
        if let Some((_, ready)) = last.filter(|(at, _)| at.elapsed() < FRESH) {
            return ready;
        }
        let ready = match tokio::time::timeout(PATIENCE, registry.ready()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "the cloud is not ready");
                false
            }
            Err(_) => {
                tracing::error!(after = ?PATIENCE, "the cloud is not ready: a write does not end");
                false
            }
        };
        *last = Some((Instant::now(), ready));
        ready
    }
}
