//! Keys, and where they come from.
//!
//! A [`Credentials`] is a provider of itself. [`Chain::standard`] looks where the official SDKs look: environment, files, the
//! role of the machine, the web identity of a pod. Whatever expires is fetched again before it does ([`Refreshed`]).

mod chain;
mod environment;
mod file;
mod machine_role;
mod refreshed;
mod sts;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use chain::Chain;
pub use environment::{Environment, Variables};
pub use file::{IniFile, TccliProfile};
pub use machine_role::MachineRole;
pub use refreshed::Refreshed;
pub use sts::{AssumedRole, Sts, WebIdentity};

use crate::error::ClientError;

/// A key and, where it is a temporary one, its token and the second at which it ends.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    secret_id: String,
    secret_key: Zeroizing<String>,
    token: Option<String>,
    expires_at: Option<u64>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("secret_id", &self.secret_id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// A permanent key.
    #[must_use]
    pub fn new(secret_id: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self {
            secret_id: secret_id.into(),
            secret_key: Zeroizing::new(secret_key.into()),
            token: None,
            expires_at: None,
        }
    }

    /// The token that belongs to a temporary key; an empty one is none.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into()).filter(|token| !token.is_empty());
        self
    }

    /// When a temporary key ends, in seconds since the UNIX epoch.
    #[must_use]
    pub fn expiring_at(mut self, second: u64) -> Self {
        self.expires_at = Some(second);
        self
    }

    /// The SecretId.
    #[must_use]
    pub fn secret_id(&self) -> &str {
        &self.secret_id
    }

    /// The SecretKey.
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The token of a temporary key.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// When the key ends, in seconds since the UNIX epoch; `None` for one that does not.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }

    /// Refuses what the official SDKs refuse before they sign: an empty value, or blanks around one.
    pub(crate) fn check(&self) -> Result<(), CredentialError> {
        for (name, value) in [("SecretId", self.secret_id.as_str()), ("SecretKey", self.secret_key.as_str())]
        {
            if value.is_empty() || value.trim() != value {
                let reason = format!("{name} is empty or has blanks around it");
                return Err(CredentialError::Unusable { source_name: "the key given", reason });
            }
        }
        Ok(())
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The source has no key. A chain goes on to the next one.
    #[error("{source_name}: {reason}")]
    Absent {
        /// The source.
        source_name: &'static str,
        /// What is not there.
        reason: String,
    },
    /// The source has a key that cannot be used. A chain stops: another identity than the one configured would be a surprise.
    #[error("{source_name}: {reason}")]
    Unusable {
        /// The source.
        source_name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// STS did not exchange what it was given for a key.
    #[error("{source_name}: {error}")]
    Exchange {
        /// The source.
        source_name: &'static str,
        /// What STS answered, or why it did not.
        error: Box<ClientError>,
    },
    /// No source of a chain has a key.
    #[error("no key was found ({})", .0.join("; "))]
    Exhausted(Vec<String>),
}

/// A key that is being fetched.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Credentials, CredentialError>> + Send + 'a>>;

/// Where a client gets its key, asked before every request.
pub trait ProvideCredentials: fmt::Debug + Send + Sync {
    /// The key to sign with now.
    fn provide(&self) -> Fetching<'_>;
}

impl ProvideCredentials for Credentials {
    fn provide(&self) -> Fetching<'_> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

impl<P: ProvideCredentials + ?Sized> ProvideCredentials for Arc<P> {
    fn provide(&self) -> Fetching<'_> {
        (**self).provide()
    }
}

impl<P: ProvideCredentials + ?Sized> ProvideCredentials for Box<P> {
    fn provide(&self) -> Fetching<'_> {
        (**self).provide()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown_and_blank_ones_not_used() {
        let key = Credentials::new("AKID1", "secret").with_token("tokentext");
        let shown = format!("{key:?}");
        assert!(shown.contains("AKID1") && !shown.contains("secret\"") && !shown.contains("tokentext"));
        assert!(key.check().is_ok());
        assert_eq!(key.with_token("").token(), None);
        for (id, secret) in [("", "s"), ("i", ""), (" i", "s"), ("i", "s\n")] {
            assert!(Credentials::new(id, secret).check().is_err());
        }
    }
}
