//! The Rust SDK: typed calls over the contract, signed with TC3-HMAC-SHA256. The command line and the tests stand on it.
//!
//! ```no_run
//! use rookery_api::products::sts::GetCallerIdentityRequest;
//! use rookery_client::{Client, Credentials};
//!
//! let credentials = Credentials::new("AKID…", "…");
//! let client = Client::new("http://127.0.0.1:8080", credentials)?.region("ap-guangzhou");
//! let me = client.call(&GetCallerIdentityRequest {})?;
//! println!("{} (request {})", me.response.arn, me.request_id);
//! # Ok::<(), rookery_client::ClientError>(())
//! ```

mod endpoint;
mod transport;

use std::time::{SystemTime, UNIX_EPOCH};

use rookery_api::codec::Nulls;
use rookery_api::decode::{self, DecodeError, Side, json};
use rookery_api::{Request, Structure};
use rookery_tc3::v3;
use zeroize::Zeroizing;

pub use endpoint::{Endpoint, EndpointError};
pub use transport::{Transport, Trust};

/// A key and, where it is a temporary one, its token.
#[derive(Clone)]
pub struct Credentials {
    secret_id: String,
    secret_key: Zeroizing<String>,
    token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("secret_id", &self.secret_id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// A permanent key.
    #[must_use]
    pub fn new(secret_id: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { secret_id: secret_id.into(), secret_key: Zeroizing::new(secret_key.into()), token: None }
    }

    /// The token that belongs to a temporary key.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }
}

/// A reply.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// What the action answered.
    pub response: T,
    /// The id that names the request in the server's trace.
    pub request_id: String,
}

/// Why a call did not give a response.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The endpoint cannot be called.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
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
    #[error("{endpoint}: {source}")]
    Transport {
        /// The address called.
        endpoint: String,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// The reply is not the platform's envelope, or does not have the action's shape.
    #[error("the reply cannot be read: {0}")]
    Reply(String),
}

/// Calls actions of the products at one endpoint.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: Endpoint,
    credentials: Credentials,
    region: Option<String>,
    language: Option<String>,
    transport: Transport,
}

impl Client {
    /// A client of `endpoint`: a URL, or a bare host for HTTPS. `{product}` in it is replaced by the product called.
    pub fn new(endpoint: &str, credentials: Credentials) -> Result<Self, ClientError> {
        Ok(Self {
            endpoint: Endpoint::parse(endpoint)?,
            credentials,
            region: None,
            language: None,
            transport: Transport::new(&Trust::default())?,
        })
    }

    /// The region whose data is meant.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// The language of messages, `en-US` or `zh-CN`.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Another way of reaching servers, for instance one that trusts a local authority.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Calls an action. Which one follows from the type of the request.
    pub fn call<R: Request>(&self, request: &R) -> Result<Reply<R::Response>, ClientError> {
        let action = &R::PRODUCT.actions[R::ACTION];
        let body = request.to_json(Nulls::Omitted);
        let reply = self.call_json(R::PRODUCT.name, R::PRODUCT.version, action.name, &body)?;
        let unreadable = |error: DecodeError| ClientError::Reply(error.to_string());
        let node = json::read(reply.response.as_bytes()).map_err(unreadable)?;
        let value = decode::conform(node, action.output, Side::Reply).map_err(unreadable)?;
        let response = R::Response::from_structure(value)
            .map_err(|mismatch| ClientError::Reply(mismatch.to_string()))?;
        Ok(Reply { response, request_id: reply.request_id })
    }

    /// Calls an action by name with a JSON body; the reply is the JSON text of `Response`.
    pub fn call_json(
        &self,
        product: &str,
        version: &str,
        action: &str,
        body: &[u8],
    ) -> Result<Reply<String>, ClientError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let headers = self.signed_headers(product, version, action, body, now);
        let text = self.transport.post(&self.endpoint.url(product), &headers, body)?;
        read_envelope(&text)
    }

    /// The headers of a signed request made at the UNIX second `now`. The body is signed with them.
    #[must_use]
    pub fn signed_headers(
        &self,
        product: &str,
        version: &str,
        action: &str,
        body: &[u8],
        now: u64,
    ) -> Vec<(&'static str, String)> {
        let timestamp = now.to_string();
        let date = v3::scope_date(i64::try_from(now).unwrap_or(i64::MAX)).unwrap_or_default();
        let host = self.endpoint.host(product);
        let signed: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("host", host.as_bytes())];
        let request = v3::Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &signed,
            body,
            timestamp: &timestamp,
        };
        let authorization = v3::sign(
            &request,
            &["content-type", "host"],
            &date,
            product,
            &self.credentials.secret_id,
            &self.credentials.secret_key,
        );
        let mut headers = vec![
            ("Authorization", authorization),
            ("Content-Type", "application/json".to_owned()),
            ("Host", host),
            ("X-TC-Action", action.to_owned()),
            ("X-TC-Version", version.to_owned()),
            ("X-TC-Timestamp", timestamp),
            ("X-TC-RequestClient", concat!("rookery_", env!("CARGO_PKG_VERSION")).to_owned()),
        ];
        headers.extend(self.region.clone().map(|region| ("X-TC-Region", region)));
        headers.extend(self.language.clone().map(|language| ("X-TC-Language", language)));
        headers.extend(self.credentials.token.clone().map(|token| ("X-TC-Token", token)));
        headers
    }
}

/// Takes the envelope apart: the text of `Response`, or the refusal in it.
fn read_envelope(text: &str) -> Result<Reply<String>, ClientError> {
    let unreadable = || ClientError::Reply(text.chars().take(200).collect());
    let mut envelope: serde_json::Value = serde_json::from_str(text).map_err(|_| unreadable())?;
    let response = envelope.get_mut("Response").map(serde_json::Value::take).ok_or_else(unreadable)?;
    let field = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let request_id = field(&response, "RequestId");
    match response.get("Error") {
        Some(error) => Err(ClientError::Refused {
            code: field(error, "Code"),
            message: field(error, "Message"),
            request_id,
        }),
        None => Ok(Reply { response: response.to_string(), request_id }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_gives_the_response_or_the_refusal() {
        let reply = read_envelope(r#"{"Response":{"TotalCount":1,"RequestId":"r"}}"#).unwrap();
        assert_eq!(reply.request_id, "r");
        let refused = read_envelope(r#"{"Response":{"Error":{"Code":"C","Message":"M"},"RequestId":"r"}}"#);
        assert!(matches!(refused, Err(ClientError::Refused { code, .. }) if code == "C"));
        assert!(matches!(read_envelope("<html>"), Err(ClientError::Reply(_))));
        assert!(matches!(read_envelope("{}"), Err(ClientError::Reply(_))));
    }

    #[test]
    fn what_is_signed_verifies() {
        let client = Client::new("http://127.0.0.1:8080", Credentials::new("AKID1", "secret").token("t"))
            .unwrap()
            .region("ap-guangzhou");
        let headers = client.signed_headers("tcr", "2019-09-24", "DescribeInstances", b"{}", 1_551_113_065);
        let value = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str()).unwrap();
        assert_eq!((value("X-TC-Token"), value("X-TC-Region")), ("t", "ap-guangzhou"));
        let bytes: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
        let request = v3::Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &bytes,
            body: b"{}",
            timestamp: value("X-TC-Timestamp"),
        };
        let authorization = v3::Authorization::parse(value("Authorization")).unwrap();
        let key = v3::SigningKey::derive("secret", authorization.date, authorization.service);
        assert!(v3::verify(&request, &authorization, &key).is_ok());
    }
}
