//! Passwords of sub-users: kept as PBKDF2 hashes, never as text.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use serde::{Deserialize, Serialize};

/// What OWASP asks of PBKDF2 with HMAC-SHA-256.
const ROUNDS: u32 = 600_000;
const SALT: usize = 16;
const LENGTH: usize = 32;

/// The hash of a password, with its salt and its rounds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasswordHash {
    rounds: u32,
    salt: String,
    hash: String,
    /// When it was set.
    pub(crate) set_at: i64,
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// The system gave no randomness for a salt.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub(crate) struct NoSalt;

impl PasswordHash {
    /// Hashes a password. Takes long on purpose: not to be called on a thread that others wait for.
    pub(crate) fn of(password: &str, set_at: i64) -> Result<Self, NoSalt> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(|_| NoSalt)?;
        let mut hash = [0; LENGTH];
        let rounds = NonZeroU32::new(ROUNDS).unwrap_or(NonZeroU32::MIN);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut hash);
        Ok(Self { rounds: ROUNDS, salt: hex::encode(salt), hash: hex::encode(hash), set_at })
    }

    /// Whether it is the hash of `password`, compared in constant time. As slow as [`of`](Self::of).
    pub(crate) fn is_of(&self, password: &str) -> bool {
        let (Some(rounds), Ok(salt), Ok(hash)) =
            (NonZeroU32::new(self.rounds), hex::decode(&self.salt), hex::decode(&self.hash))
        else {
            return false;
        };
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_shows_it_to_nobody() {
        let hash = PasswordHash::of("Secret-123", 1).unwrap();
        assert!(hash.is_of("Secret-123"));
        assert!(!hash.is_of("secret-123"));
        assert_ne!(hash, PasswordHash::of("Secret-123", 1).unwrap(), "each has its own salt");
        assert!(!serde_json::to_string(&hash).unwrap().contains("Secret"));
    }
}
