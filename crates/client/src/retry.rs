//! Which failures are tried again, and when.

use std::time::Duration;

use crate::error::ClientError;
use crate::transport::TransportError;

/// How often a call is tried, and how long it waits in between. Off unless chosen, as in the official SDKs.
///
/// Tried again are
/// * `RequestLimitExceeded` and its sub-codes: the platform refused before it acted;
/// * a connection that was never made: no server saw the request;
/// * a connection that broke or a reply that did not come in time, but only where the action may run twice: it reads (its
///   name begins with `Describe`, `Get`, `List`, `Query`, `Check`, `Search` or `Inquir`), or the request carries a `ClientToken`.
///
/// Nothing else is: `InternalError` may have acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    retries: u32,
    base: Duration,
    longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self::never()
    }
}

impl Retry {
    /// One attempt only.
    #[must_use]
    pub const fn never() -> Self {
        Self::times(0)
    }

    /// Up to `retries` more attempts, after about 1, 2, 4, … seconds and never more than 16.
    #[must_use]
    pub const fn times(retries: u32) -> Self {
        Self { retries, base: Duration::from_secs(1), longest: Duration::from_secs(16) }
    }

    /// Another first delay; it doubles with each attempt up to `longest`.
    #[must_use]
    pub const fn delays(mut self, base: Duration, longest: Duration) -> Self {
        self.base = base;
        self.longest = longest;
        self
    }

    /// How long to wait after attempt number `attempt` (from 0) failed with `error`; `None`: not again. `may_repeat` says whether
    /// the request may reach the server twice.
    pub(crate) fn after(self, attempt: u32, error: &ClientError, may_repeat: bool) -> Option<Duration> {
        let again = attempt < self.retries
            && match error {
                ClientError::Refused { code, .. } => {
                    code == "RequestLimitExceeded" || code.starts_with("RequestLimitExceeded.")
                }
                ClientError::Transport(TransportError::Connect { .. }) => true,
                ClientError::Transport(TransportError::Broken { .. } | TransportError::Timeout { .. }) => {
                    may_repeat
                }
                _ => false,
            };
        again.then(|| self.delay(attempt, jitter()))
    }

    /// Between half of the exponential delay and all of it: `jitter` of 0 is the half, `u32::MAX` the whole.
    fn delay(self, attempt: u32, jitter: u32) -> Duration {
        let full = self.base.saturating_mul(2_u32.saturating_pow(attempt)).min(self.longest);
        full / 2 + (full / 2).mul_f64(f64::from(jitter) / f64::from(u32::MAX))
    }
}

/// Random, so that clients that were refused together do not come back together.
fn jitter() -> u32 {
    // Without the system's randomness the delay is the longest one.
    getrandom::u32().unwrap_or(u32::MAX)
}

/// Whether an action only reads, by the platform's naming.
pub(crate) fn reads(action: &str) -> bool {
    ["Describe", "Get", "List", "Query", "Check", "Search", "Inquir"]
        .iter()
        .any(|verb| action.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> ClientError {
        ClientError::Refused { code: code.to_owned(), message: String::new(), request_id: String::new() }
    }

    #[test]
    fn only_what_cannot_have_acted_twice_is_tried_again() {
        let retry = Retry::times(1);
        let url = String::new;
        let connect = ClientError::Transport(TransportError::Connect { url: url(), reason: url() });
        let broken = ClientError::Transport(TransportError::Broken { url: url(), reason: url() });
        let timeout = ClientError::Transport(TransportError::Timeout { url: url(), after: Duration::ZERO });
        let large = ClientError::Transport(TransportError::TooLarge { url: url() });
        for (error, write, read) in [
            (refused("RequestLimitExceeded"), true, true),
            (refused("RequestLimitExceeded.UinLimitExceeded"), true, true),
            (refused("RequestLimitExceededX"), false, false),
            (refused("InternalError"), false, false),
            (connect, true, true),
            (broken, false, true),
            (timeout, false, true),
            (large, false, false),
        ] {
            assert_eq!(retry.after(0, &error, false).is_some(), write, "{error}");
            assert_eq!(retry.after(0, &error, true).is_some(), read, "{error}");
            assert_eq!(retry.after(1, &error, true), None);
            assert_eq!(Retry::default().after(0, &error, true), None);
        }
    }

    #[test]
    fn delays_double_up_to_the_longest_and_are_spread() {
        let retry = Retry::times(9);
        let seconds = |attempt, jitter| retry.delay(attempt, jitter).as_secs_f64();
        assert_eq!((seconds(0, 0), seconds(0, u32::MAX)), (0.5, 1.0));
        assert_eq!((seconds(3, 0), seconds(3, u32::MAX)), (4.0, 8.0));
        assert_eq!((seconds(40, 0), seconds(40, u32::MAX)), (8.0, 16.0));
    }

    #[test]
    fn reading_actions_are_known_by_their_names() {
        assert!(reads("DescribeInstances") && reads("InquirePriceRunInstances"));
        assert!(!reads("CreateInstance") && !reads("ModifyGetting"));
    }
}
