//! Secrets at rest: sealed under one master key, bound to the place they are kept in.
//!
//! A [`Seal`] turns secret bytes into a [`Sealed`] value that a store record may hold. The seal is AES-256-GCM
//! with a random nonce; the *context* (for instance `kms/key/<id>/1`) is authenticated with it, so a sealed
//! value moved to another record does not open there. The master key is a file of 32 random bytes that only its
//! owner can read, or comes from the environment as Base64.
//!
//! A sealed value is written with its context, as a JSON object of a form that nothing else has. So whoever changes the
//! master key ([`Seal::reseal`]) finds every sealed value of a state without knowing who keeps which.

mod master_key;
mod seal;

use std::io;

pub use self::master_key::{MASTER_KEY_FILE, MASTER_KEY_LENGTH, NEXT_MASTER_KEY_FILE};
pub use self::seal::{Seal, Sealed};

/// Why a secret could not be sealed, opened, or the master key not be had.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The master key file could not be read or made.
    #[error("the master key {path}: {source}")]
    File {
        /// The file concerned.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The master key is not 32 bytes (or not Base64 of 32 bytes, where it comes from the environment).
    #[error("the master key must be exactly {MASTER_KEY_LENGTH} bytes")]
    Length,
    /// The value was sealed under another key or for another place, or was altered.
    #[error("a sealed value does not open here: wrong master key, wrong place, or altered")]
    Closed,
    /// The cipher refused to seal.
    #[error("a secret could not be sealed")]
    Cipher,
}
