//! Why a call gave no response.

use rookery_api::decode::DecodeError;

use crate::credentials::CredentialError;
use crate::endpoint::EndpointError;
use crate::transport::TransportError;

/// Why a call did not give a response.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The endpoint cannot be called.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// There is no key to sign with.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// The server refused.
    #[error("{code}: {message} (request {request_id})")]
    Refused {
        /// The error code.
        code: String,
        /// The server's words.
        message: String,
        /// The request's id.
        request_id: String,
    },
    /// The server could not be reached, or broke off.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The request cannot be put on the wire.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
    /// The reply is not the platform's envelope, or does not have the action's shape.
    #[error("the reply (HTTP status {status}) cannot be read: {reason}")]
    Reply {
        /// The HTTP status; the platform answers 200 to everything.
        status: u16,
        /// What is wrong with it, or its first characters.
        reason: String,
    },
    /// The action does not list by `Offset` and `Limit`.
    #[error("{action} cannot be paged: {reason}")]
    NotPaged {
        /// The action.
        action: &'static str,
        /// What it lacks.
        reason: &'static str,
    },
}

impl ClientError {
    /// The code of a refusal; `None` where no server refused.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    pub(crate) fn unreadable(status: u16, error: &DecodeError) -> Self {
        Self::Reply { status, reason: error.to_string() }
    }
}
