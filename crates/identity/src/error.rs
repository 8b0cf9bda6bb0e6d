//! Why identities cannot be opened. What the actions refuse is in `sts::error` and `cam::error`.

use rookery_seal::SealError;
use rookery_store::StoreError;

/// Why the accounts and keys could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret does not open: the master key is another than the one that sealed it.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A file of the data directory could not be read or written.
    #[error("the root key's file: {0}")]
    File(std::io::Error),
    /// A kept key is not text, or its file is not what was written.
    #[error("the root key is damaged")]
    DamagedKey,
    /// A pinned key could be used by no client.
    #[error("a SecretId or SecretKey must be non-empty, without blanks, and a SecretId without `/` or `,`")]
    UnusableKey,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    Randomness,
}
