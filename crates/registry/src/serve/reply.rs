//! Responses: their headers, and the form of a failure.

use http::header::{
    ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue, RANGE, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use serde_json::Value;

use crate::body::ResponseBody;
use crate::errors::Error;

pub(crate) const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub(super) const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
pub(super) const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
pub(super) const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub(super) const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");

/// An error on its way to the client.
pub(super) struct Failure {
    error: Box<Error>,
    challenge: Option<String>,
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: Box::new(error.into()), challenge: None }
    }
}

impl Failure {
    /// 401 with a challenge.
    pub(super) fn challenged(challenge: &str) -> Self {
        Self { error: Box::new(Error::Unauthorized), challenge: Some(challenge.to_owned()) }
    }

    pub(super) fn into_response(self) -> Response<ResponseBody> {
        let status = self.error.status();
        if status.is_server_error() {
            log(&self.error);
        }
        let mut response = json(status, &self.error.body());
        let extra = match &*self.error {
            Error::MethodNotAllowed(allowed) => Some((ALLOW, (*allowed).to_owned())),
            Error::RangeNotSatisfiable { size } => Some((CONTENT_RANGE, format!("bytes */{size}"))),
            Error::ChunkOutOfOrder { offset } => Some((RANGE, upload_range(*offset))),
            Error::UploadBusy => Some((RETRY_AFTER, "1".to_owned())),
            _ => None,
        };
        if let Some((name, value)) = extra {
            put(&mut response, name, &value);
        }
        if let Some(challenge) = self.challenge {
            put(&mut response, WWW_AUTHENTICATE, &challenge);
        }
        response
    }
}

/// The client sees no cause of a 5xx; the log does.
fn log(error: &Error) {
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    tracing::error!(%error, ?causes, "a request failed");
}

/// The `Range` of an upload: its first and last byte. Nothing at all is said as `0-0`, which clients can parse.
pub(super) fn upload_range(offset: u64) -> String {
    format!("0-{}", offset.saturating_sub(1))
}

/// An empty response.
pub(super) fn empty(status: StatusCode) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::default());
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    response
}

/// A response with a body of this length and type.
pub(super) fn with_body(
    status: StatusCode,
    media_type: &str,
    length: u64,
    body: ResponseBody,
) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    put(&mut response, CONTENT_TYPE, media_type);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// A JSON response.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<ResponseBody> {
    json_as(status, "application/json", value)
}

/// A JSON response of a type of its own.
pub(super) fn json_as(status: StatusCode, media_type: &str, value: &Value) -> Response<ResponseBody> {
    let text = value.to_string();
    with_body(status, media_type, text.len() as u64, ResponseBody::bytes(text))
}

/// Sets a header. What is put here has been held to a grammar before; a value that is none after all is left out.
pub(super) fn put(response: &mut Response<ResponseBody>, name: HeaderName, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(value) => {
            response.headers_mut().insert(name, value);
        }
        Err(error) => tracing::error!(%name, %error, "a response header was left out"),
    }
}

/// Adds a header that may occur several times.
pub(super) fn add(response: &mut Response<ResponseBody>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
}
