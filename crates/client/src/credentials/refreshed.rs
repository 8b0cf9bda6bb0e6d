//! Temporary keys, kept while they last.

use tokio::sync::Mutex;

use super::{CredentialError, Credentials, Fetching, ProvideCredentials};
use crate::client::unix_seconds;

/// A key is replaced this many seconds before it ends, as the official SDKs do for the role of a machine …
const AHEAD: u64 = 300;

/// Keeps what another provider gave until shortly before it ends (300 seconds, or half of a shorter life). Callers that come
/// together wait for one fetch. Where a new key cannot be had, the old one is given out for as long as it lasts.
#[derive(Debug)]
pub struct Refreshed<P> {
    provider: P,
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    credentials: Credentials,
    /// The second from which on a new one is fetched; `None`: never.
    due: Option<u64>,
}

impl Held {
    fn new(credentials: Credentials, now: u64) -> Self {
        let due = credentials.expires_at().map(|end| {
            let life = end.saturating_sub(now);
            // … but half of a life shorter than that is used, or each call would fetch.
            end - AHEAD.min(life / 2).min(end)
        });
        Self { credentials, due }
    }

    fn is_due(&self, now: u64) -> bool {
        self.due.is_some_and(|due| now >= due)
    }

    fn lasts(&self, now: u64) -> bool {
        self.credentials.expires_at().is_none_or(|end| now < end)
    }
}

impl<P: ProvideCredentials> Refreshed<P> {
    /// Keeps what `provider` gives.
    pub fn new(provider: P) -> Self {
        Self { provider, held: Mutex::new(None) }
    }

    async fn fresh(&self, now: u64) -> Result<Credentials, CredentialError> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| !held.is_due(now)) {
            return Ok(held.credentials.clone());
        }
        match (self.provider.provide().await, held.as_ref()) {
            (Ok(credentials), _) => {
                *held = Some(Held::new(credentials.clone(), now));
                Ok(credentials)
            }
            (Err(_), Some(old)) if old.lasts(now) => Ok(old.credentials.clone()),
            (Err(error), _) => Err(error),
        }
    }
}

impl<P: ProvideCredentials> ProvideCredentials for Refreshed<P> {
    fn provide(&self) -> Fetching<'_> {
        Box::pin(self.fresh(unix_seconds()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Gives keys that last 1000 seconds from the second 0 on, then fails from the third on.
    #[derive(Debug, Default)]
    struct Source(AtomicU64);

    impl ProvideCredentials for Source {
        fn provide(&self) -> Fetching<'_> {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            let given = if count < 2 {
                Ok(Credentials::new(format!("AKID{count}"), "k").expiring_at(1000 * (count + 1)))
            } else {
                Err(CredentialError::Absent { source_name: "test", reason: String::new() })
            };
            Box::pin(std::future::ready(given))
        }
    }

    #[tokio::test]
    async fn a_key_is_kept_until_it_is_due_and_used_until_it_ends() {
        let kept = Refreshed::new(Source::default());
        let id = async |now| kept.fresh(now).await.map(|key| key.secret_id().to_owned());
        assert_eq!(id(0).await.unwrap(), "AKID0");
        assert_eq!(id(699).await.unwrap(), "AKID0");
        assert_eq!(id(700).await.unwrap(), "AKID1", "300 seconds before the end");
        assert_eq!(id(1999).await.unwrap(), "AKID1", "no new one could be had");
        assert!(id(2000).await.is_err(), "it has ended");
    }

    #[test]
    fn short_lives_are_used_to_their_half_and_permanent_keys_for_ever() {
        let key = || Credentials::new("i", "k");
        assert_eq!(Held::new(key().expiring_at(110), 100).due, Some(105));
        assert_eq!(
            Held::new(key().expiring_at(50), 100).due,
            Some(50),
            "already over: the next call fetches"
        );
        assert_eq!(Held::new(key(), 100).due, None);
    }
}
