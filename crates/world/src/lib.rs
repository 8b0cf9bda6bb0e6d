//! The world a product lives in: its clock and its identifiers.
//!
//! Products never ask the system for the time or for randomness; they ask the [`World`] they were given. That
//! is what lets a test pin identifiers and step the clock over an expiry. Secrets (keys, passwords, nonces of
//! an AEAD) are *not* taken from here: they always come from the operating system, pinned world or not.

use std::cell::RefCell;
use std::sync::Arc;

use parking_lot::Mutex;
use time::OffsetDateTime;
use uuid::{Builder, Uuid};

/// Characters of identifiers such as `tcr-dg284imq`.
const IDENTIFIER_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// How much randomness a thread takes from the operating system at once.
const POOL: usize = 512;

/// Randomness of the operating system that no identifier has used yet. A call for every request's id would cost more than the id.
struct Pool {
    bytes: [u8; POOL],
    used: usize,
}

thread_local! {
    static RANDOMNESS: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL], used: POOL }) };
}

/// Fills `bytes` from the thread's pool; says so where it cannot.
fn from_pool(bytes: &mut [u8]) -> bool {
    RANDOMNESS.with_borrow_mut(|pool| {
        if pool.used + bytes.len() > POOL {
            if getrandom::fill(&mut pool.bytes).is_err() {
                return false;
            }
            pool.used = 0;
        }
        let Some(fresh) = pool.bytes.get(pool.used..pool.used + bytes.len()) else { return false };
        bytes.copy_from_slice(fresh);
        pool.used += bytes.len();
        true
    })
}

/// The source of time and identifiers. Cheap to clone; clones share one state.
#[derive(Clone, Debug)]
pub struct World {
    source: Arc<Source>,
}

#[derive(Debug)]
enum Source {
    System,
    Pinned(Mutex<Pinned>),
}

#[derive(Debug)]
struct Pinned {
    now: OffsetDateTime,
    counter: u64,
}

impl World {
    /// The real world: the system's clock, the operating system's randomness.
    #[must_use]
    pub fn system() -> Self {
        Self { source: Arc::new(Source::System) }
    }

    /// A world for tests: time stands still at `now` until [`World::advance`], identifiers follow from `seed`.
    #[must_use]
    pub fn pinned(now: OffsetDateTime, seed: u64) -> Self {
        Self { source: Arc::new(Source::Pinned(Mutex::new(Pinned { now, counter: seed }))) }
    }

    /// The present moment, in UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        match &*self.source {
            Source::System => OffsetDateTime::now_utc(),
            Source::Pinned(pinned) => pinned.lock().now,
        }
    }

    /// The present moment as UNIX seconds, the unit of `X-TC-Timestamp`.
    #[must_use]
    pub fn unix_seconds(&self) -> i64 {
        self.now().unix_timestamp()
    }

    /// Steps a pinned clock; the system's clock cannot be stepped and is left alone.
    pub fn advance(&self, by: time::Duration) {
        if let Source::Pinned(pinned) = &*self.source {
            pinned.lock().now += by;
        }
    }

    /// A fresh lower-case UUID (8-4-4-4-12), the form of request ids and KMS key ids.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// `prefix` followed by `length` characters of `[a-z0-9]`, the form of `tcr-dg284imq`.
    #[must_use]
    pub fn identifier(&self, prefix: &str, length: usize) -> String {
        self.identifier_of(prefix, length, IDENTIFIER_ALPHABET)
    }

    /// `prefix` followed by `length` characters of `alphabet`, for products whose ids use fewer characters.
    #[must_use]
    pub fn identifier_of(&self, prefix: &str, length: usize, alphabet: &[u8]) -> String {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes);
        let mut identifier = String::with_capacity(prefix.len() + length);
        identifier.push_str(prefix);
        for byte in bytes {
            // The bias of the remainder is harmless: these are names, not secrets.
            identifier.push(char::from(alphabet[usize::from(byte) % alphabet.len()]));
        }
        identifier
    }

    fn fill(&self, bytes: &mut [u8]) {
        match &*self.source {
            Source::System if bytes.len() <= POOL / 8 && from_pool(bytes) => {}
            // The system's randomness fails only before the kernel's pool is seeded; a UUID of zeros would be
            // worse than the version-4 generator's own answer to that, so its bytes are used.
            Source::System => {
                if getrandom::fill(bytes).is_err() {
                    for chunk in bytes.chunks_mut(16) {
                        chunk.copy_from_slice(&Uuid::new_v4().as_bytes()[..chunk.len()]);
                    }
                }
            }
            Source::Pinned(pinned) => {
                let mut pinned = pinned.lock();
                for chunk in bytes.chunks_mut(8) {
                    pinned.counter = pinned.counter.wrapping_add(1);
                    chunk.copy_from_slice(&split_mix(pinned.counter).to_le_bytes()[..chunk.len()]);
                }
            }
        }
    }
}

/// `SplitMix64`: a counter turned into well-spread bits, so that pinned identifiers differ in every character.
fn split_mix(counter: u64) -> u64 {
    let mut mixed = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_world_repeats_itself() {
        let at = OffsetDateTime::UNIX_EPOCH;
        let (one, two) = (World::pinned(at, 7), World::pinned(at, 7));
        assert_eq!(one.uuid(), two.uuid());
        assert_eq!(one.identifier("tcr-", 8), two.identifier("tcr-", 8));
        assert_ne!(one.identifier("tcr-", 8), one.identifier("tcr-", 8));
    }

    #[test]
    fn a_pinned_clock_moves_only_when_told() {
        let world = World::pinned(OffsetDateTime::UNIX_EPOCH, 0);
        assert_eq!(world.unix_seconds(), 0);
        world.advance(time::Duration::seconds(301));
        assert_eq!(world.clone().unix_seconds(), 301);
    }

    #[test]
    fn identifiers_of_one_thread_and_of_others_never_repeat() {
        let ids = || (0..1000).map(|_| World::system().uuid()).collect::<Vec<_>>();
        let others: Vec<_> = (0..4).map(|_| std::thread::spawn(ids)).collect();
        let mut all = ids();
        all.extend(others.into_iter().flat_map(|thread| thread.join().unwrap()));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 5000);
        assert!(
            World::system().identifier("", 200).bytes().any(|byte| byte != b'a'),
            "longer than the pool gives"
        );
    }

    #[test]
    fn identifiers_have_the_asked_shape() {
        let identifier = World::system().identifier("tcr-", 8);
        assert_eq!(identifier.len(), 12);
        assert!(identifier[4..].bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    }
}
