//! What can go wrong, and how each error reads on the wire: the codes of the distribution specification.

use http::StatusCode;
use rookery_store::StoreError;
use serde_json::{Value, json};

use crate::access::AccessError;
use crate::digest::{Digest, DigestError};
use crate::hooks::Refusal;
use crate::names::NameError;
use crate::token::TokenKeyError;

/// Why an operation of the registry failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository name breaks the grammar.
    #[error("invalid repository name")]
    NameInvalid,
    /// No such registry or repository.
    #[error("repository name not known to registry")]
    NameUnknown,
    /// The tag breaks the grammar.
    #[error("invalid tag")]
    TagInvalid,
    /// The digest breaks the grammar or names an algorithm that is not offered.
    #[error("invalid digest: {0}")]
    DigestInvalid(#[from] DigestError),
    /// The request needs a `digest` parameter and has none.
    #[error("the digest parameter is missing")]
    DigestMissing,
    /// The content does not have the digest it was announced with.
    #[error("content has digest {actual}, not {expected}")]
    DigestMismatch {
        /// What the client said.
        expected: Digest,
        /// What the content has.
        actual: Digest,
    },
    /// The repository holds no such blob.
    #[error("blob unknown to registry")]
    BlobUnknown(Digest),
    /// The repository has no such upload session.
    #[error("blob upload unknown to registry")]
    UploadUnknown,
    /// A malformed chunk header.
    #[error("blob upload invalid: {0}")]
    UploadInvalid(&'static str),
    /// A chunk that does not start where the upload ends.
    #[error("the chunk does not start at the end of the upload")]
    ChunkOutOfOrder {
        /// How many bytes the upload has.
        offset: u64,
    },
    /// Another request is writing to the same upload.
    #[error("another request is writing to this upload")]
    UploadBusy,
    /// The body is shorter or longer than announced.
    #[error("provided length did not match content length")]
    SizeInvalid,
    /// The client stopped sending.
    #[error("the request body ended early")]
    BodyIncomplete,
    /// The client sent nothing for as long as it may keep the registry waiting.
    #[error("the client sent nothing for too long")]
    BodyStalled,
    /// A `Range` that the blob cannot satisfy.
    #[error("range not satisfiable")]
    RangeNotSatisfiable {
        /// The blob's length in bytes.
        size: u64,
    },
    /// The manifest is malformed; the text says how.
    #[error("manifest invalid: {0}")]
    ManifestInvalid(String),
    /// The manifest is larger than the registry takes.
    #[error("manifest larger than {limit} bytes")]
    ManifestTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// No such manifest or tag.
    #[error("manifest unknown to registry")]
    ManifestUnknown(String),
    /// The manifest names blobs or manifests that the repository does not hold.
    #[error("manifest references content unknown to the repository")]
    ManifestBlobUnknown(Vec<Digest>),
    /// More `tag` parameters than one request may carry.
    #[error("too many tag parameters; the limit is {limit}")]
    TooManyTags {
        /// The limit.
        limit: usize,
    },
    /// A malformed parameter; the text names it.
    #[error("invalid parameter: {0}")]
    ParameterInvalid(&'static str),
    /// The path is known, the method is not; the text lists the methods that are, as in `Allow`.
    #[error("method not allowed")]
    MethodNotAllowed(&'static str),
    /// No valid login.
    #[error("authentication required")]
    Unauthorized,
    /// A valid login without the right, or an address that is not admitted; the text is shown to the client.
    #[error("{0}")]
    Denied(String),
    /// The product refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Access could not be decided.
    #[error("access could not be decided")]
    Undecided(#[source] AccessError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The disk failed.
    #[error("{doing} failed")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The store says one thing, the disk another; the text names the content.
    #[error("stored content is damaged: {0}")]
    Damaged(String),
    /// A task of the registry was cancelled or panicked.
    #[error("an internal task failed")]
    Task(#[from] tokio::task::JoinError),
    /// A step was asked of something whose earlier step had failed.
    #[error("an earlier step had failed")]
    Interrupted,
    /// A token could not be signed.
    #[error(transparent)]
    Signing(#[from] TokenKeyError),
}

impl Error {
    /// Names what the disk was asked to do.
    pub(crate) fn disk(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Disk { doing, source }
    }

    /// The HTTP status of the error.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NameInvalid
            | Self::TagInvalid
            | Self::DigestInvalid(_)
            | Self::DigestMissing
            | Self::DigestMismatch { .. }
            | Self::UploadInvalid(_)
            | Self::SizeInvalid
            | Self::BodyIncomplete
            | Self::ManifestInvalid(_)
            | Self::ParameterInvalid(_) => StatusCode::BAD_REQUEST,
            Self::NameUnknown
            | Self::BlobUnknown(_)
            | Self::UploadUnknown
            | Self::ManifestUnknown(_)
            | Self::ManifestBlobUnknown(_) => StatusCode::NOT_FOUND,
            Self::ChunkOutOfOrder { .. } | Self::RangeNotSatisfiable { .. } => {
                StatusCode::RANGE_NOT_SATISFIABLE
            }
            Self::UploadBusy => StatusCode::TOO_MANY_REQUESTS,
            Self::BodyStalled => StatusCode::REQUEST_TIMEOUT,
            Self::ManifestTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyTags { .. } => StatusCode::URI_TOO_LONG,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::Refused(refusal) => refusal.status,
            Self::Disk { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            Self::Store(error) if error.is_full() => StatusCode::INSUFFICIENT_STORAGE,
            Self::Undecided(_)
            | Self::Store(_)
            | Self::Disk { .. }
            | Self::Damaged(_)
            | Self::Task(_)
            | Self::Interrupted
            | Self::Signing(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code of the error body.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::DigestInvalid(_) | Self::DigestMissing | Self::DigestMismatch { .. } => "DIGEST_INVALID",
            Self::BlobUnknown(_) => "BLOB_UNKNOWN",
            Self::UploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::UploadInvalid(_)
            | Self::ChunkOutOfOrder { .. }
            | Self::BodyIncomplete
            | Self::BodyStalled => "BLOB_UPLOAD_INVALID",
            // The specification has no code for a range; what is wrong with it is its size.
            Self::SizeInvalid | Self::RangeNotSatisfiable { .. } => "SIZE_INVALID",
            // The specification has no code for a malformed tag; a manifest under such a name cannot be valid.
            Self::TagInvalid | Self::ManifestInvalid(_) | Self::ManifestTooLarge { .. } => "MANIFEST_INVALID",
            Self::ManifestUnknown(_) => "MANIFEST_UNKNOWN",
            Self::ManifestBlobUnknown(_) => "MANIFEST_BLOB_UNKNOWN",
            Self::TooManyTags { .. } | Self::ParameterInvalid(_) | Self::MethodNotAllowed(_) => "UNSUPPORTED",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Denied(_) => "DENIED",
            Self::UploadBusy => "TOOMANYREQUESTS",
            Self::Refused(refusal) => &refusal.code,
            Self::Undecided(_)
            | Self::Store(_)
            | Self::Disk { .. }
            | Self::Damaged(_)
            | Self::Task(_)
            | Self::Interrupted
            | Self::Signing(_) => "UNKNOWN",
        }
    }

    /// The error body, `{"errors":[{"code","message","detail"}]}`. A 5xx says nothing of the inside.
    #[must_use]
    pub fn body(&self) -> Value {
        if let Self::Damaged(what) = self {
            let (code, message) = (self.code(), "stored content is damaged; pushing it again mends it");
            return json!({"errors": [{"code": code, "message": message, "detail": {"content": what}}]});
        }
        if self.status().is_server_error() {
            let message = if self.status() == StatusCode::INSUFFICIENT_STORAGE {
                "no space left"
            } else {
                "internal error"
            };
            return json!({"errors": [{"code": self.code(), "message": message, "detail": null}]});
        }
        let one = |detail: Value| json!({"code": self.code(), "message": self.message(), "detail": detail});
        let errors = match self {
            Self::ManifestBlobUnknown(missing) => {
                missing.iter().map(|digest| one(json!({"digest": digest.as_str()}))).collect()
            }
            Self::BlobUnknown(digest) => vec![one(json!({"digest": digest.as_str()}))],
            Self::ManifestUnknown(reference) => vec![one(json!({"reference": reference}))],
            Self::DigestMismatch { expected, actual } => {
                vec![one(json!({"expected": expected.as_str(), "actual": actual.as_str()}))]
            }
            Self::ChunkOutOfOrder { offset } => vec![one(json!({"offset": offset}))],
            Self::RangeNotSatisfiable { size } => vec![one(json!({"size": size}))],
            _ => vec![one(Value::Null)],
        };
        json!({ "errors": errors })
    }

    fn message(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.message.clone(),
            _ => self.to_string(),
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Repository => Self::NameInvalid,
            NameError::Tag => Self::TagInvalid,
            NameError::Digest(error) => Self::DigestInvalid(error),
        }
    }
}

impl From<AccessError> for Error {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(message) => Self::Denied(message),
            undecided @ AccessError::Undecided(_) => Self::Undecided(undecided),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes that the specification lets a 4xx body use.
    const CODES: [&str; 15] = [
        "BLOB_UNKNOWN",
        "BLOB_UPLOAD_INVALID",
        "BLOB_UPLOAD_UNKNOWN",
        "DIGEST_INVALID",
        "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID",
        "MANIFEST_UNKNOWN",
        "NAME_INVALID",
        "NAME_UNKNOWN",
        "SIZE_INVALID",
        "UNAUTHORIZED",
        "DENIED",
        "UNSUPPORTED",
        "TOOMANYREQUESTS",
        "UNKNOWN",
    ];

    #[test]
    fn client_errors_use_the_codes_of_the_specification() {
        let digest = Digest::sha256(b"x");
        for error in [
            Error::NameInvalid,
            Error::NameUnknown,
            Error::TagInvalid,
            Error::DigestInvalid(DigestError::Malformed),
            Error::DigestMissing,
            Error::BlobUnknown(digest.clone()),
            Error::UploadUnknown,
            Error::UploadInvalid("x"),
            Error::ChunkOutOfOrder { offset: 1 },
            Error::UploadBusy,
            Error::BodyStalled,
            Error::SizeInvalid,
            Error::RangeNotSatisfiable { size: 1 },
            Error::ManifestInvalid("x".into()),
            Error::ManifestTooLarge { limit: 1 },
            Error::ManifestUnknown("v1".into()),
            Error::ManifestBlobUnknown(vec![digest]),
            Error::TooManyTags { limit: 1 },
            Error::ParameterInvalid("n"),
            Error::MethodNotAllowed("GET"),
            Error::Unauthorized,
            Error::Denied("no".into()),
        ] {
            assert!(error.status().is_client_error(), "{error:?}");
            assert!(CODES[..14].contains(&error.code()), "{error:?}");
            assert_eq!(error.body()["errors"][0]["code"], error.code());
        }
    }

    #[test]
    fn server_errors_say_nothing_of_the_inside() {
        let source = std::io::Error::other("/secret/path");
        let error = Error::Disk { doing: "reading /secret/path", source };
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!error.body().to_string().contains("secret"));
        let refusal = Refusal::from(StoreError::Closed);
        assert_eq!(Error::Refused(refusal).body()["errors"][0]["code"], "UNKNOWN");
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(Error::Disk { doing: "x", source }.status(), StatusCode::INSUFFICIENT_STORAGE);
    }

    #[test]
    fn each_missing_blob_is_named() {
        let missing = vec![Digest::sha256(b"a"), Digest::sha256(b"b")];
        assert_eq!(Error::ManifestBlobUnknown(missing).body()["errors"].as_array().map(Vec::len), Some(2));
    }
}
