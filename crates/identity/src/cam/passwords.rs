//! Passwords of sub-users: kept as PBKDF2 hashes, never as text.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::cam::error::Error;
use crate::cam::settings::PasswordRulesRow;

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

/// Hashes a password away from the threads that answer others.
pub(crate) async fn hash(password: Zeroizing<String>, now: i64) -> Result<PasswordHash, Error> {
    Ok(tokio::task::spawn_blocking(move || PasswordHash::of(&password, now)).await??)
}

/// The hashes of a user whose password becomes `password`: the new one first, then as many former ones as the rules keep from being used
/// again. One of those is refused.
pub(crate) async fn replace(
    former: Vec<PasswordHash>,
    password: Zeroizing<String>,
    kept: u64,
    now: i64,
) -> Result<Vec<PasswordHash>, Error> {
    let kept = usize::try_from(kept).unwrap_or(usize::MAX);
    let replaced = tokio::task::spawn_blocking(move || {
        if former.iter().take(kept).any(|hash| hash.is_of(&password)) {
            let rule = format!("it must not be one of the last {kept}");
            return Err(Error::PasswordViolatesRules { rule });
        }
        let mut hashes = vec![PasswordHash::of(&password, now)?];
        hashes.extend(former.into_iter().take(MOST_KEPT));
        Ok(hashes)
    });
    replaced.await?
}

/// How many former passwords rules can forbid to use again.
pub(crate) const MOST_KEPT: usize = 24;

/// The length of a password that is made here.
const RANDOM: usize = 32;

/// A random password of all kinds of characters, from the operating system.
pub(crate) fn random() -> Result<Zeroizing<String>, NoSalt> {
    const CHARACTERS: &[u8; 64] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!@#%^*-";
    loop {
        let mut bytes = Zeroizing::new([0; RANDOM]);
        getrandom::fill(&mut *bytes).map_err(|_| NoSalt)?;
        // 64 characters, so every one is as likely as every other.
        let characters = bytes.iter().filter_map(|byte| CHARACTERS.get(usize::from(byte % 64)));
        let password: Zeroizing<String> = Zeroizing::new(characters.map(|byte| char::from(*byte)).collect());
        if PasswordRulesRow::default().check(&password).is_ok() {
            return Ok(password);
        }
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
