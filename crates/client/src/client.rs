//! The client: from a typed request to a typed reply.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rookery_api::codec::Nulls;
use rookery_api::decode::{self, Node, Side, json};
use rookery_api::{PRODUCTS, Request, Structure};

use crate::credentials::ProvideCredentials;
use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::reply::{self, Reply};
use crate::retry::{self, Retry};
use crate::signing::{Draft, Signing};
use crate::transport::{Transport, Trust};

/// What a program calls itself where it does not say: the SDK's name and version.
const CLIENT: &str = concat!("SDK_RUST_ROOKERY_", env!("CARGO_PKG_VERSION"));
/// The platform's limit for `RequestClient`.
const LONGEST_CLIENT: usize = 128;

/// Calls actions of the products at one endpoint. Clones share connections and keys.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: Endpoint,
    credentials: Arc<dyn ProvideCredentials>,
    region: Option<String>,
    language: Option<String>,
    name: String,
    signing: Signing,
    retry: Retry,
    transport: Transport,
}

impl Client {
    /// A client of `endpoint`: a URL, or a bare host for HTTPS. `{product}` in it is replaced by the product called.
    pub fn new(endpoint: &str, credentials: impl ProvideCredentials + 'static) -> Result<Self, ClientError> {
        Ok(Self {
            endpoint: Endpoint::parse(endpoint)?,
            credentials: Arc::new(credentials),
            region: None,
            language: None,
            name: CLIENT.to_owned(),
            signing: Signing::default(),
            retry: Retry::never(),
            transport: Transport::new(&Trust::default())?,
        })
    }

    /// A client of the real service: `https://{product}.tencentcloudapi.com`.
    pub fn tencent_cloud(credentials: impl ProvideCredentials + 'static) -> Result<Self, ClientError> {
        Self::new("https://{product}.tencentcloudapi.com", credentials)
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

    /// The program's own name, sent in `RequestClient` after the SDK's: letters, digits and `-_,;.`, at most 128 characters with it.
    pub fn request_client(mut self, name: &str) -> Result<Self, ClientError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_,;.".contains(&byte);
        let client = format!("{CLIENT}; {name}");
        if name.is_empty() || !name.bytes().all(allowed) || client.len() > LONGEST_CLIENT {
            return Err(ClientError::Unsendable(format!("`{name}` is no name for RequestClient")));
        }
        self.name = client;
        Ok(self)
    }

    /// How requests are signed; TC3 over POST unless chosen.
    #[must_use]
    pub fn signing(mut self, signing: Signing) -> Self {
        self.signing = signing;
        self
    }

    /// What is tried again; nothing unless chosen.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Another way of reaching servers, for instance one that trusts a local authority or waits for another time.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Calls an action. Which one follows from the type of the request.
    pub async fn call<R: Request>(&self, request: &R) -> Result<Reply<R::Response>, ClientError> {
        let action = R::PRODUCT.actions.get(R::ACTION).ok_or_else(|| {
            ClientError::Unsendable(format!("{} has no action number {}", R::PRODUCT.name, R::ACTION))
        })?;
        let body = request.to_json(Nulls::Omitted);
        let reply = self.call_json(R::PRODUCT.name, R::PRODUCT.version, action.name, &body).await?;
        typed(&reply)
    }

    /// Calls an action by name, also one of a product that this crate has no types for. The parameters are a JSON object; the
    /// reply is the JSON text of `Response`.
    ///
    /// The two actions of STS that take another proof than a key are sent with `Authorization: SKIP`, always as v3.
    pub async fn call_json(
        &self,
        product: &str,
        version: &str,
        action: &str,
        body: &[u8],
    ) -> Result<Reply<String>, ClientError> {
        let (origin, host) = (self.endpoint.origin(product), self.endpoint.host(product));
        let draft = Draft {
            origin: &origin,
            host: &host,
            product,
            version,
            action,
            region: self.region.as_deref(),
            language: self.language.as_deref(),
            client: &self.name,
            body,
        };
        let may_repeat = retry::reads(action) || has_client_token(body);
        let mut attempt = 0;
        loop {
            // Signed anew each time: the timestamp moves, and a temporary key may have been replaced.
            let failed = match self.attempt(&draft).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            match self.retry.after(attempt, &failed, may_repeat) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(failed),
            }
            attempt += 1;
        }
    }

    async fn attempt(&self, draft: &Draft<'_>) -> Result<Reply<String>, ClientError> {
        let request = self.signed(draft).await?;
        let received = self.transport.send(request).await?;
        reply::read(received.status().as_u16(), received.body())
    }

    async fn signed(&self, draft: &Draft<'_>) -> Result<http::Request<Bytes>, ClientError> {
        let now = unix_seconds();
        if is_unsigned(draft) {
            return draft.skip(now);
        }
        let credentials = self.credentials.provide().await?;
        credentials.check()?;
        // Below 2^63, which every reader of a Nonce takes.
        let nonce = getrandom::u64().map_err(|error| ClientError::Unsendable(error.to_string()))? >> 1;
        draft.sign(self.signing, &credentials, now, nonce)
    }
}

/// A reply with the type of its action.
pub(crate) fn typed<S: Structure>(reply: &Reply<String>) -> Result<Reply<S>, ClientError> {
    let unreadable = |error| ClientError::unreadable(200, &error);
    let node = json::read(reply.response.as_bytes()).map_err(unreadable)?;
    let value = decode::conform(node, S::SHAPE, Side::Reply).map_err(unreadable)?;
    let response = S::from_structure(value)
        .map_err(|mismatch| ClientError::Reply { status: 200, reason: mismatch.to_string() })?;
    Ok(Reply { response, request_id: reply.request_id.clone() })
}

fn is_unsigned(draft: &Draft<'_>) -> bool {
    let product =
        PRODUCTS.iter().find(|product| product.name == draft.product && product.version == draft.version);
    product.and_then(|product| product.action(draft.action)).is_some_and(|action| action.unsigned)
}

/// Whether the request names itself, so that the server knows a repetition when it sees one.
fn has_client_token(body: &[u8]) -> bool {
    let Ok(Node::Object(members)) = json::read(body) else { return false };
    members
        .iter()
        .any(|(name, value)| name == "ClientToken" && matches!(value, Node::Text(text) if !text.is_empty()))
}

/// Seconds since the UNIX epoch; 0 for a clock before it.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;

    #[test]
    fn a_programs_name_is_checked() {
        let client = || Client::new("localhost", Credentials::new("AKID1", "key")).unwrap();
        assert!(client().request_client("billing_1.0").unwrap().name.ends_with("; billing_1.0"));
        for name in ["", "two words", "näme", &"x".repeat(128)] {
            assert!(matches!(client().request_client(name), Err(ClientError::Unsendable(_))), "{name}");
        }
    }

    #[test]
    fn a_client_token_makes_a_request_repeatable() {
        assert!(has_client_token(br#"{"ClientToken":"t"}"#));
        for body in [r#"{"ClientToken":""}"#, r#"{"A":{"ClientToken":"t"}}"#, r#"{"ClientToken":1}"#, "[]"] {
            assert!(!has_client_token(body.as_bytes()), "{body}");
        }
    }
}
