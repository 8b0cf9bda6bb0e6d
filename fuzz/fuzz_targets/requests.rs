//! Whole requests down the whole street, half of them signed for what they are: whatever is sent, the answer has the platform's form.
#![no_main]

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use rookery_api::products::tcr;
use rookery_gateway::{
    Account, Actions, Call, Caller, Credential, CredentialError, Decision, Gateway, Identity, Language,
    Options, Principal, Question, Refusal, Resource, SecretKey,
};
use rookery_tc3::v3;
use rookery_world::World;
use time::OffsetDateTime;

const ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
const KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
const NOW: i64 = 1_551_113_065;

/// Headers that the gateway looks at.
const NAMES: [&str; 12] = [
    "authorization",
    "content-type",
    "host",
    "user-agent",
    "x-tc-action",
    "x-tc-content-sha256",
    "x-tc-language",
    "x-tc-region",
    "x-tc-timestamp",
    "x-tc-token",
    "x-tc-version",
    "x-tcr-name",
];

struct OneKey;

impl Identity for OneKey {
    fn credential(&self, secret_id: &str, token: Option<&str>) -> Result<Credential, CredentialError> {
        match token {
            _ if secret_id != ID => Err(CredentialError::NotFound),
            Some(_) => Err(CredentialError::Token),
            None => Ok(Credential {
                caller: Caller::new(Account { uin: 100, app_id: 1 }, Principal::Root, secret_id),
                secret_key: SecretKey::new(KEY.to_owned()),
            }),
        }
    }

    fn decide(&self, _: &Caller, _: &Question<'_>) -> Decision {
        Decision::Allowed("fuzz".into())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
enum Never {}

impl Refusal for Never {
    type Code = tcr::ErrorCode;

    fn code(&self) -> tcr::ErrorCode {
        match *self {}
    }

    fn message(&self, _: Language) -> String {
        match *self {}
    }
}

static GATEWAY: LazyLock<Gateway> = LazyLock::new(|| {
    let mut actions = Actions::new();
    actions.add(
        |_: &Call<tcr::DescribeInstancesRequest>| vec![Resource::any()],
        |_: Call<tcr::DescribeInstancesRequest>| {
            Box::pin(async { Ok::<_, Never>(tcr::DescribeInstancesResponse::default()) })
        },
    );
    let world = World::pinned(OffsetDateTime::from_unix_timestamp(NOW).unwrap(), 1);
    Gateway::new(world, Arc::new(OneKey), actions, Options { traces: 16, ..Options::default() })
});

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap());

fuzz_target!(|data: (u8, &str, Vec<(u8, &[u8])>, &[u8])| {
    let (choice, target, sent, body) = data;
    let method = if choice & 1 == 0 { "POST" } else { "GET" };
    let mut headers: Vec<(&str, Vec<u8>)> = vec![
        ("host", b"tcr.tencentcloudapi.com".to_vec()),
        ("content-type", b"application/json".to_vec()),
        ("x-tc-action", b"DescribeInstances".to_vec()),
        ("x-tc-version", b"2019-09-24".to_vec()),
        ("x-tc-timestamp", NOW.to_string().into_bytes()),
        ("x-tc-region", b"ap-guangzhou".to_vec()),
    ];
    for (name, value) in sent {
        let name = NAMES[usize::from(name) % NAMES.len()];
        headers.retain(|(known, _)| *known != name || choice & 8 != 0);
        headers.push((name, value.to_vec()));
    }
    let Ok(uri) = http::Uri::try_from(target) else { return };
    let is_signed = choice & 2 == 0;
    if is_signed {
        let borrowed: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let found =
            |wanted| borrowed.iter().find(|(name, _)| *name == wanted).map_or(&b""[..], |(_, value)| *value);
        let timestamp = String::from_utf8_lossy(found("x-tc-timestamp")).into_owned();
        let request = v3::Request {
            method,
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: &borrowed,
            body,
            timestamp: &timestamp,
        };
        let header = v3::sign(&request, &["content-type", "host"], "2019-02-25", "tcr", ID, KEY);
        headers.push(("authorization", header.into_bytes()));
    }
    let mut request = http::Request::builder().method(method).uri(uri);
    for (name, value) in &headers {
        request = request.header(*name, value.as_slice());
    }
    let Ok(request) = request.body(Full::new(Bytes::copy_from_slice(body))) else { return };
    let reply = RUNTIME.block_on(GATEWAY.answer(request, SocketAddr::from(([127, 0, 0, 1], 1))));
    assert_eq!(
        (reply.status(), reply.headers()["content-type"].as_bytes()),
        (http::StatusCode::OK, &b"application/json"[..])
    );
    let body = reply.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
    let reply: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!(reply["Response"]["RequestId"].is_string());
    assert_ne!(reply["Response"]["Error"]["Code"], "InternalError");
});
