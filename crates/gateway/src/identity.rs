//! The seam to CAM and STS: who answers for keys and rights.

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use crate::call::Caller;
use crate::permission::{Question, Tag};

/// What a key opens.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Who signs with it.
    pub caller: Caller,
    /// The SecretKey.
    pub secret_key: SecretKey,
}

/// A SecretKey; wiped when the last copy is dropped, shown by nothing.
#[derive(Clone)]
pub struct SecretKey(Arc<zeroize::Zeroizing<String>>);

impl SecretKey {
    /// Takes the key over.
    #[must_use]
    pub fn new(key: String) -> Self {
        Self(Arc::new(zeroize::Zeroizing::new(key)))
    }

    /// The key itself, for signing and verifying only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A mark by which this very key is known again. It keeps nothing of the key alive.
    pub(crate) fn mark(&self) -> KeyMark {
        KeyMark(Arc::downgrade(&self.0))
    }
}

/// Which [`SecretKey`] something was derived from: the allocation, so that a key that was replaced, even by one of the same
/// text, is another. The allocation is not given to a new key while its mark is held.
#[derive(Clone)]
pub(crate) struct KeyMark(Weak<zeroize::Zeroizing<String>>);

impl KeyMark {
    /// Whether `key` is the one that was marked.
    pub(crate) fn is_of(&self, key: &SecretKey) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&key.0))
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// Why a SecretId opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// There is no such key, or it is disabled or deleted: clients are not told which.
    #[error("no such key")]
    NotFound,
    /// The token does not belong to the key, or has expired.
    #[error("the token is not this key's")]
    Token,
    /// The key could not be looked up.
    #[error("keys cannot be looked up: {0}")]
    Unavailable(String),
}

/// Who answers for keys and rights: CAM and STS. Asked on every request, so both must be quick.
///
/// Signing keys are derived once and kept for as long as `credential` answers with clones of one [`SecretKey`]: an identity that
/// replaces a secret makes a new `SecretKey`, and one that makes a new `SecretKey` for every answer only loses the saving.
pub trait Identity: Send + Sync + 'static {
    /// What `secret_id` (with the token that came along) opens.
    fn credential(&self, secret_id: &str, token: Option<&str>) -> Result<Credential, CredentialError>;
    /// Whether `caller` may do what is asked on each of the resources.
    fn decide(&self, caller: &Caller, question: &Question<'_>) -> Decision;
}

/// Who knows the tags of resources. Asked only where a condition speaks of them.
pub trait ResourceTags: Send + Sync + 'static {
    /// The tags of the resource of that six-segment name in `account`; none where there is no such resource. The error is for the log.
    fn tags(&self, resource: &str, account: u64) -> Result<Vec<Tag>, String>;
}

/// What was decided, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The caller may. The text names what allowed it, for the trace.
    Allowed(Cow<'static, str>),
    /// The caller may not act on `resource`.
    Denied {
        /// The first resource that is refused.
        resource: String,
        /// What denied it, for the trace.
        reason: String,
    },
}
