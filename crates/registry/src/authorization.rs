//! Who calls, and what they hold: bearer tokens as issued, or user name and password asked about at each request.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use crate::Registry;
use crate::access::{Actions, Subject};
use crate::challenge::Why;
use crate::errors::Error;
use crate::names::{RegistryId, Repository};
use crate::token::Claims;

/// Somebody whose credentials are good.
pub(crate) enum Caller {
    /// Holds what the token says, and no more; nor less, unless the product is to be asked each time.
    Bearer(Arc<Claims>),
    /// Holds what the product grants at this moment.
    Basic(Subject),
}

/// Why there is no caller.
pub(crate) enum Stranger {
    /// Turned away with a challenge.
    Challenged(Why),
    /// The credentials could not be checked.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stranger {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Caller {
    pub(crate) fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Bearer(claims) => claims.subject(),
            Self::Basic(subject) => Some(subject),
        }
    }
}

/// User name and password of a `Basic` header's value.
pub(crate) fn basic(authorization: &str) -> Option<(String, String)> {
    let encoded = strip_scheme(authorization, "basic")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(username, password)| (username.to_owned(), password.to_owned()))
}

/// The token of a `Bearer` header's value.
fn bearer(authorization: &str) -> Option<&str> {
    strip_scheme(authorization, "bearer").map(str::trim)
}

fn strip_scheme<'a>(authorization: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, rest) = authorization.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then_some(rest)
}

impl Registry {
    /// The caller of a request to `registry`, by its `Authorization` header.
    pub(crate) async fn caller(
        &self,
        registry: Option<&RegistryId>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Caller, Stranger> {
        let Some(value) = authorization else { return Err(Stranger::Challenged(Why::NoLogin)) };
        let value = value.to_str().map_err(|_| Stranger::Challenged(Why::NoLogin))?;
        if let Some(token) = bearer(value) {
            let claims = self.inner.tokens.verify(token, self.inner.world.unix_seconds());
            return claims.map(Caller::Bearer).ok_or(Stranger::Challenged(Why::InvalidToken));
        }
        let (username, password) = basic(value).ok_or(Stranger::Challenged(Why::NoLogin))?;
        let subject = self.inner.access.authenticate(registry, &username, &password).await?;
        subject.map(Caller::Basic).ok_or(Stranger::Challenged(Why::NoLogin))
    }

    /// Whether the caller may do all of `actions` on the repository.
    pub(crate) async fn holds(
        &self,
        caller: &Caller,
        repository: &Repository,
        actions: Actions,
        peer: IpAddr,
    ) -> Result<bool, Error> {
        match caller {
            Caller::Bearer(claims) => Ok(claims.actions(repository).contains(actions)
                && self.inner.access.stands(claims.subject(), repository, actions, peer)?),
            Caller::Basic(subject) => self.granted(Some(subject), repository, actions, peer).await,
        }
    }

    /// Whether the caller may pull from the source of a mount. A token is asked for the target only when the client does not
    /// know the source, so what its subject may pull now counts as well.
    pub(crate) async fn may_mount_from(
        &self,
        caller: &Caller,
        source: &Repository,
        peer: IpAddr,
    ) -> Result<bool, Error> {
        Ok(self.holds(caller, source, Actions::PULL, peer).await?
            || self.granted(caller.subject(), source, Actions::PULL, peer).await?)
    }

    pub(crate) async fn granted(
        &self,
        subject: Option<&Subject>,
        repository: &Repository,
        actions: Actions,
        peer: IpAddr,
    ) -> Result<bool, Error> {
        Ok(self.inner.access.grant(subject, repository, actions, peer).await?.contains(actions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_read() {
        let header = format!("bAsIc {}", STANDARD.encode("tcr$robot:pass:word"));
        assert_eq!(basic(&header), Some(("tcr$robot".to_owned(), "pass:word".to_owned())));
        for bad in ["Basic", "Basic !!!", "Bearer YTpi", "Basic YQ==", "Basic /w=="] {
            assert_eq!(basic(bad), None, "{bad}");
        }
    }
}
