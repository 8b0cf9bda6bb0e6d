//! The replay guard: a v1 request is answered once.
//!
//! Signature v1 has a `Nonce` for this; v3 has none, so a v3 request can be repeated for as long as its timestamp is good, here as on
//! the platform. What counts as the same request is SecretId, `Nonce` and `Timestamp`.
//!
//! Off unless asked for, because clients collide with themselves: the Node SDK draws its nonce from 16 bits (`protocol.md` §2.3), so two
//! of its requests within one second are taken for one with a chance of 1 in 65,536, and of 7 % where a hundred are sent in it. What
//! the platform does with a repeated nonce is not known, nor which code it would answer. Ours is `AuthFailure.SignatureExpire`: its
//! words, "The signature is expired, please request again.", ask for the one thing that helps.

use std::collections::{BTreeMap, HashSet};

use parking_lot::Mutex;

use crate::caller::TIMESTAMP_WINDOW;

/// How many requests are remembered at most. At some 60 bytes each they take 64 MiB.
const ROOM: usize = 1 << 20;

/// The requests that were answered within the window of their timestamps.
#[derive(Debug)]
pub struct ReplayGuard {
    room: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// By timestamp, so that what has left the window goes together.
    by_second: BTreeMap<i64, HashSet<(String, String)>>,
    entries: usize,
    warned: bool,
}

impl Default for ReplayGuard {
    fn default() -> Self {
        Self::with_room(ROOM)
    }
}

impl ReplayGuard {
    /// A guard that remembers at most `room` requests; the ones of the earliest timestamps make way.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        Self { room: room.max(1), seen: Mutex::default() }
    }

    /// Whether this is the first request of that SecretId, nonce and timestamp. Ask after the signature verified: then only the owner
    /// of a key can take room. `now` is in UNIX seconds.
    pub fn is_first(&self, secret_id: &str, nonce: &str, timestamp: i64, now: i64) -> bool {
        let mut seen = self.seen.lock();
        let window = i64::try_from(TIMESTAMP_WINDOW).unwrap_or(i64::MAX);
        // An older timestamp is refused before it gets here, so its entries are of no more use.
        let current = seen.by_second.split_off(&now.saturating_sub(window));
        let gone: usize = std::mem::replace(&mut seen.by_second, current).values().map(HashSet::len).sum();
        seen.entries -= gone;
        if !seen.by_second.entry(timestamp).or_default().insert((secret_id.to_owned(), nonce.to_owned())) {
            return false;
        }
        seen.entries += 1;
        while seen.entries > self.room {
            let Some((_, earliest)) = seen.by_second.pop_first() else { break };
            seen.entries -= earliest.len();
            if !std::mem::replace(&mut seen.warned, true) {
                tracing::warn!(
                    room = self.room,
                    "more requests than the replay guard remembers: the earliest can be repeated"
                );
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_551_113_065;

    #[test]
    fn the_same_three_are_answered_once() {
        let guard = ReplayGuard::default();
        assert!(guard.is_first("AKID", "1", NOW, NOW));
        assert!(!guard.is_first("AKID", "1", NOW, NOW));
        assert!(!guard.is_first("AKID", "1", NOW, NOW + 300));
        assert!(guard.is_first("AKIE", "1", NOW, NOW));
        assert!(guard.is_first("AKID", "2", NOW, NOW));
        assert!(guard.is_first("AKID", "1", NOW + 1, NOW));
    }

    #[test]
    fn what_left_the_window_is_forgotten() {
        let guard = ReplayGuard::default();
        for second in 0..1000 {
            assert!(guard.is_first("AKID", "1", NOW + second, NOW + second));
        }
        let seen = guard.seen.lock();
        assert_eq!((seen.entries, seen.by_second.len()), (301, 301));
    }

    #[test]
    fn the_room_is_bounded_and_the_earliest_make_way() {
        let guard = ReplayGuard::with_room(10);
        for nonce in 0..100 {
            assert!(guard.is_first("AKID", "1", NOW + nonce, NOW));
        }
        assert_eq!(guard.seen.lock().entries, 10);
        assert!(!guard.is_first("AKID", "1", NOW + 99, NOW));
        assert!(guard.is_first("AKID", "1", NOW, NOW), "forgotten");
    }
}
