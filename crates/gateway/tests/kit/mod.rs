//! A laboratory for requests: a product of its own whose actions echo what reached them, an identity with two keys, and requests that
//! verify until a test bends them.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file is a program of its own and uses what it needs"
)]

pub mod laboratory;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use rookery_gateway::{
    Account, Actions, Caller, Credential, CredentialError, Decision, Gateway, Identity, Options, Principal,
    Question, SecretKey,
};
use rookery_tc3::{v1, v3};
use rookery_world::World;
use serde_json::Value;
use time::OffsetDateTime;

/// The second in which the gateway of a test lives.
pub const NOW: i64 = 1_551_113_065;
/// A long-term key: the pair of the public documentation.
pub const ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
pub const KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

/// A key that cannot be looked up.
pub const UNAVAILABLE_ID: &str = "AKIDunavailable";

/// Knows [`ID`], without a token or with the one it was given.
pub struct OneKey {
    pub token: Option<&'static str>,
    pub secret_key: &'static str,
}

impl Identity for OneKey {
    fn credential(&self, secret_id: &str, token: Option<&str>) -> Result<Credential, CredentialError> {
        if secret_id == UNAVAILABLE_ID {
            return Err(CredentialError::Unavailable("the store is gone".to_owned()));
        }
        if secret_id != ID {
            return Err(CredentialError::NotFound);
        }
        if token != self.token {
            return Err(CredentialError::Token);
        }
        let caller = Caller::new(Account { uin: 100, app_id: 1 }, Principal::Root, secret_id);
        Ok(Credential { caller, secret_key: SecretKey::new(self.secret_key.to_owned()) })
    }

    fn decide(&self, _: &Caller, question: &Question<'_>) -> Decision {
        match question.resources.iter().find(|resource| resource.ends_with("/forbidden")) {
            Some(resource) => Decision::Denied { resource: resource.clone(), reason: "test".to_owned() },
            None => Decision::Allowed("test".into()),
        }
    }
}

pub fn options() -> Options {
    Options { traces: 100, ..Options::default() }
}

pub fn gateway_at(now: i64, token: Option<&'static str>, actions: Actions, options: Options) -> Gateway {
    gateway_of(now, OneKey { token, secret_key: KEY }, actions, options)
}

pub fn gateway_of(now: i64, identity: OneKey, actions: Actions, options: Options) -> Gateway {
    let world = World::pinned(OffsetDateTime::from_unix_timestamp(now).unwrap(), 1);
    Gateway::new(world, Arc::new(identity), actions, options)
}

/// A gateway to the laboratory.
pub fn gateway() -> Gateway {
    gateway_at(NOW, None, laboratory::actions(), options())
}

/// What a v3 request is signed for; bend it before it is signed with `sign`, or afterwards in [`Sent`].
#[derive(Clone)]
pub struct Draft {
    pub method: &'static str,
    pub host: String,
    pub query: String,
    pub action: String,
    pub content_type: String,
    pub body: Vec<u8>,
    pub timestamp: i64,
    pub service: String,
    pub secret_id: String,
    pub date: Option<String>,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Draft {
    pub fn post(action: &str, body: &str) -> Self {
        Self {
            method: "POST",
            host: "lab.tencentcloudapi.com".to_owned(),
            query: String::new(),
            action: action.to_owned(),
            content_type: "application/json".to_owned(),
            body: body.as_bytes().to_vec(),
            timestamp: NOW,
            service: "lab".to_owned(),
            secret_id: ID.to_owned(),
            date: None,
            headers: Vec::new(),
        }
    }

    pub fn get(action: &str, query: &str) -> Self {
        let content_type = "application/x-www-form-urlencoded".to_owned();
        Self { method: "GET", query: query.to_owned(), content_type, ..Self::post(action, "") }
    }

    pub fn typed(action: &str, content_type: &str, body: &[u8]) -> Self {
        Self { content_type: content_type.to_owned(), body: body.to_vec(), ..Self::post(action, "") }
    }

    /// Adds a header that is not signed.
    #[must_use]
    pub fn header(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    pub fn sign(&self) -> Sent {
        let timestamp = self.timestamp.to_string();
        let signed: [(&str, &[u8]); 2] =
            [("content-type", self.content_type.as_bytes()), ("host", self.host.as_bytes())];
        let request = v3::Request {
            method: self.method,
            path: "/",
            query: &self.query,
            headers: &signed,
            body: &self.body,
            timestamp: &timestamp,
        };
        let date = self.date.clone().unwrap_or_else(|| v3::scope_date(self.timestamp).unwrap());
        let names = ["content-type", "host"];
        let authorization = v3::sign(&request, &names, &date, &self.service, &self.secret_id, KEY);
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", &self.content_type),
            ("Host", &self.host),
            ("X-TC-Action", &self.action),
            ("X-TC-Version", laboratory::VERSION),
            ("X-TC-Timestamp", &timestamp),
        ];
        let mut headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        headers.extend(self.headers.clone());
        let target = if self.query.is_empty() { "/".to_owned() } else { format!("/?{}", self.query) };
        Sent { method: self.method.parse().unwrap(), target, headers, body: self.body.clone() }
    }
}

/// `%2A`
pub fn escape(byte: u8) -> String {
    format!("%{byte:02X}")
}

/// Percent-encodes every byte.
pub fn encode(text: &str) -> String {
    text.bytes().map(escape).collect()
}

/// A signed v1 request: the common parameters unless they are given, then the signature.
pub fn v1_request(method: &str, parameters: &[(&str, &str)]) -> Sent {
    let host = "lab.tencentcloudapi.com";
    let mut parameters: Vec<(String, String)> =
        parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    for (name, value) in [
        ("Version", laboratory::VERSION),
        ("Timestamp", &NOW.to_string()),
        ("Nonce", "11886"),
        ("SecretId", ID),
        ("SignatureMethod", "HmacSHA256"),
    ] {
        if !parameters.iter().any(|(n, _)| n == name) {
            parameters.push((name.to_owned(), value.to_owned()));
        }
    }
    let request = v1::Request { method, host: host.as_bytes(), path: "/", parameters: &parameters };
    let signature = v1::sign(&request, v1::Method::HmacSha256, KEY);
    parameters.push(("Signature".to_owned(), signature));
    let form: Vec<_> = parameters.iter().map(|(n, v)| format!("{n}={}", encode(v))).collect();
    let form = form.join("&");
    let (target, body) = match method {
        "GET" => (format!("/?{form}"), Vec::new()),
        _ => ("/".to_owned(), form.into_bytes()),
    };
    let headers = [("Host", host), ("Content-Type", "application/x-www-form-urlencoded")];
    Sent {
        method: method.parse().unwrap(),
        target,
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect(),
        body,
    }
}

/// A request as it goes over the wire.
#[derive(Clone)]
pub struct Sent {
    pub method: Method,
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Sent {
    /// Replaces a header, or takes it away.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.extend(value.map(|value| (name.to_owned(), value.as_bytes().to_vec())));
        self
    }

    #[must_use]
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = method.parse().unwrap();
        self
    }

    /// The bytes of the request as HTTP/1.1 writes it.
    pub fn length(&self) -> usize {
        let line = self.method.as_str().len() + 1 + self.target.len() + " HTTP/1.1\r\n".len();
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        line + headers + 2 + self.body.len()
    }

    /// What is in `Response`. Whatever happened, the reply has the platform's form.
    pub async fn answer_from(self, gateway: &Gateway, peer: [u8; 4]) -> Value {
        let mut request = Request::builder().method(self.method).uri(self.target);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(self.body))).unwrap();
        let reply = gateway.answer(request, SocketAddr::from((peer, 1))).await;
        assert_eq!(reply.status(), StatusCode::OK);
        assert_eq!(reply.headers()["content-type"], "application/json");
        assert!(!reply.headers().contains_key("content-encoding"));
        // What HTTP writes as the length.
        let length = reply.body().size_hint().exact();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(length, u64::try_from(body.len()).ok());
        let reply: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(reply["Response"]["RequestId"].as_str().map(str::len), Some(36));
        reply["Response"].clone()
    }

    pub async fn answer(self, gateway: &Gateway) -> Value {
        self.answer_from(gateway, [127, 0, 0, 1]).await
    }

    /// The code of the refusal, or `ok`.
    pub async fn code(self, gateway: &Gateway) -> String {
        self.answer(gateway).await["Error"]["Code"].as_str().unwrap_or("ok").to_owned()
    }

    /// Code and message of the refusal.
    pub async fn error(self, gateway: &Gateway) -> (String, String) {
        let reply = self.answer(gateway).await;
        let text = |name: &str| reply["Error"][name].as_str().unwrap_or("ok").to_owned();
        (text("Code"), text("Message"))
    }
}
