//! Requests walk the whole street in process: what verifies, and each refusal with its code and its place in the order.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use rookery_api::products::{sts, tcr};
use rookery_gateway::rate::{ActionLimit, Limits};
use rookery_gateway::{
    Account, Actions, Call, Caller, Credential, CredentialError, Decision, Gateway, Identity, Language,
    Options, Principal, Question, Refusal, RequestId, Resource, SecretKey,
};
use rookery_tc3::{v1, v3};
use rookery_world::World;
use serde_json::{Value, json};
use time::OffsetDateTime;

const NOW: i64 = 1_551_113_065;
const ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
const KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

struct OneKey;

impl Identity for OneKey {
    fn credential(&self, secret_id: &str, token: Option<&str>) -> Result<Credential, CredentialError> {
        if secret_id != ID {
            return Err(CredentialError::NotFound);
        }
        if token.is_some() {
            return Err(CredentialError::Token);
        }
        let caller = Caller::new(Account { uin: 100, app_id: 1 }, Principal::Root, secret_id);
        Ok(Credential { caller, secret_key: SecretKey::new(KEY.to_owned()) })
    }

    fn decide(&self, _: &Caller, question: &Question<'_>) -> Decision {
        match question.resources.iter().find(|resource| resource.ends_with("/forbidden")) {
            Some(resource) => Decision::Denied { resource: resource.clone(), reason: "test".to_owned() },
            None => Decision::Allowed("test".into()),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the database burnt down")]
struct Burnt;

impl Refusal for Burnt {
    type Code = tcr::ErrorCode;

    fn code(&self) -> tcr::ErrorCode {
        tcr::ErrorCode::InternalErrorDbError
    }

    fn message(&self, language: Language) -> String {
        match language {
            Language::English => "Database error.".to_owned(),
            Language::Chinese => "数据库错误。".to_owned(),
        }
    }

    fn internal(&self) -> Option<String> {
        Some("disk sda1".to_owned())
    }
}

fn gateway(rate_limit: Option<u32>) -> Gateway {
    let action = rate_limit.and_then(NonZeroU32::new).map_or(ActionLimit::Off, ActionLimit::Fixed);
    let rates = Limits { action, ..Limits::default() };
    let mut actions = Actions::new();
    actions.add(
        |_: &Call<tcr::DescribeInstancesRequest>| vec![Resource::any()],
        |call: Call<tcr::DescribeInstancesRequest>| {
            Box::pin(async move {
                Ok::<_, Burnt>(tcr::DescribeInstancesResponse {
                    total_count: call.request.limit.unwrap_or_default(),
                    registries: Vec::new(),
                })
            })
        },
    );
    actions.add(
        |call: &Call<tcr::DeleteInstanceRequest>| {
            vec![Resource::named(format!("instance/{}", call.request.registry_id))]
        },
        |_: Call<tcr::DeleteInstanceRequest>| {
            Box::pin(async { Err::<tcr::DeleteInstanceResponse, _>(Burnt) })
        },
    );
    let world = World::pinned(OffsetDateTime::from_unix_timestamp(NOW).unwrap(), 1);
    Gateway::new(world, Arc::new(OneKey), actions, Options { rates, traces: 100, ..Options::default() })
}

/// A v3 request that verifies, to be bent by each test.
struct Sent {
    method: Method,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Sent {
    fn v3(action: &str, body: &str) -> Self {
        Self::signed(action, "2019-09-24", "POST", "", "application/json", body.as_bytes(), NOW)
    }

    fn get(action: &str, query: &str) -> Self {
        Self::signed(action, "2019-09-24", "GET", query, "application/x-www-form-urlencoded", b"", NOW)
    }

    fn signed(
        action: &str,
        version: &str,
        method: &str,
        query: &str,
        content_type: &str,
        body: &[u8],
        at: i64,
    ) -> Self {
        let host = "tcr.tencentcloudapi.com";
        let timestamp = at.to_string();
        let signed: [(&str, &[u8]); 2] =
            [("content-type", content_type.as_bytes()), ("host", host.as_bytes())];
        let request = v3::Request { method, path: "/", query, headers: &signed, body, timestamp: &timestamp };
        let date = v3::scope_date(at).unwrap();
        let authorization = v3::sign(&request, &["content-type", "host"], &date, "tcr", ID, KEY);
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", content_type),
            ("Host", host),
            ("X-TC-Action", action),
            ("X-TC-Version", version),
            ("X-TC-Timestamp", &timestamp),
            ("X-TC-Region", "ap-guangzhou"),
        ];
        Self {
            method: method.parse().unwrap(),
            target: if query.is_empty() { "/".to_owned() } else { format!("/?{query}") },
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect(),
            body: body.to_vec(),
        }
    }

    fn v1(method: &str, parameters: &[(&str, &str)]) -> Self {
        let host = "tcr.tencentcloudapi.com";
        let mut parameters: Vec<(String, String)> =
            parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        for (name, value) in [
            ("Version", "2019-09-24"),
            ("Timestamp", &NOW.to_string()),
            ("Nonce", "11886"),
            ("Region", "ap-guangzhou"),
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
        let encode = |text: &str| text.bytes().fold(String::new(), |out, b| out + &format!("%{b:02X}"));
        let form: Vec<_> = parameters.iter().map(|(n, v)| format!("{n}={}", encode(v))).collect();
        let form = form.join("&");
        let (target, body) = if method == "GET" {
            (format!("/?{form}"), Vec::new())
        } else {
            ("/".to_owned(), form.into_bytes())
        };
        let headers = [("Host", host), ("Content-Type", "application/x-www-form-urlencoded")];
        Self {
            method: method.parse().unwrap(),
            target,
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect(),
            body,
        }
    }

    fn header(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.extend(value.map(|value| (name.to_owned(), value.as_bytes().to_vec())));
        self
    }

    fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    async fn answer(self, gateway: &Gateway) -> Value {
        let mut request = Request::builder().method(self.method).uri(self.target);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(self.body))).unwrap();
        let reply = gateway.answer(request, SocketAddr::from(([127, 0, 0, 1], 1))).await;
        assert_eq!(reply.status(), StatusCode::OK);
        assert_eq!(reply.headers()["content-type"], "application/json");
        let reply: Value =
            serde_json::from_slice(&reply.into_body().collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!(reply["Response"]["RequestId"].as_str().map(str::len), Some(36));
        reply["Response"].clone()
    }

    async fn code(self) -> String {
        let reply = self.answer(&gateway(None)).await;
        reply["Error"]["Code"].as_str().unwrap_or("ok").to_owned()
    }
}

fn message(reply: &Value) -> &str {
    reply["Error"]["Message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn every_style_of_request_reaches_the_action() {
    for sent in [
        Sent::v3("DescribeInstances", r#"{"Limit":7}"#),
        Sent::get("DescribeInstances", "Limit=7"),
        Sent::v1("GET", &[("Action", "DescribeInstances"), ("Limit", "7")]),
        Sent::v1("POST", &[("Action", "DescribeInstances"), ("Limit", "7")]),
    ] {
        let reply = sent.answer(&gateway(None)).await;
        assert_eq!(reply["TotalCount"], json!(7), "{reply}");
    }
}

#[tokio::test]
async fn common_parameters_are_required_in_the_words_of_their_style() {
    for name in ["X-TC-Action", "X-TC-Version", "X-TC-Timestamp", "X-TC-Region"] {
        let reply = Sent::v3("DescribeInstances", "{}").header(name, None).answer(&gateway(None)).await;
        assert_eq!(reply["Error"]["Code"], "MissingParameter");
        assert_eq!(
            message(&reply),
            format!("The request header is missing a required common parameter `{name}`.")
        );
    }
    let reply =
        Sent::v3("DescribeInstances", "{}").header("Authorization", None).answer(&gateway(None)).await;
    assert_eq!(message(&reply), "The request is missing a required parameter `Action`.");
}

#[tokio::test]
async fn signatures_are_strict() {
    let cases = [
        (Sent::v3("DescribeInstances", "{}").body(b"{ }"), "AuthFailure.SignatureFailure"),
        (
            Sent::v3("DescribeInstances", "{}").header("Host", Some("tcr.example.com")),
            "AuthFailure.SignatureFailure",
        ),
        (
            Sent::v3("DescribeInstances", "{}").header("Host", Some("kms.example.com")),
            "AuthFailure.InvalidAuthorization",
        ),
        (
            Sent::v3("DescribeInstances", "{}").header("Authorization", Some("Basic eDp5")),
            "AuthFailure.InvalidAuthorization",
        ),
        (
            Sent::v3("DescribeInstances", "{}").header("Authorization", Some("SKIP")),
            "AuthFailure.InvalidAuthorization",
        ),
        (Sent::v3("DescribeInstances", "{}").header("X-TC-Token", Some("t")), "AuthFailure.TokenFailure"),
        (
            Sent::v3("DescribeInstances", "{}").header("X-TC-Content-SHA256", Some("00")),
            "InvalidParameterValue",
        ),
        (
            Sent::v3("DescribeInstances", "{}").header("X-TC-Timestamp", Some("1551113066")),
            "AuthFailure.SignatureFailure",
        ),
        (
            Sent::v3("DescribeInstances", "{}").header("X-TC-Timestamp", Some("1551200000")),
            "AuthFailure.InvalidAuthorization",
        ),
        (Sent::v3("DescribeInstances", "{}").header("X-TC-Timestamp", Some("soon")), "InvalidParameter"),
        (
            Sent::signed("DescribeInstances", "2019-09-24", "POST", "", "application/json", b"{}", NOW - 300),
            "ok",
        ),
        (
            Sent::signed("DescribeInstances", "2019-09-24", "POST", "", "application/json", b"{}", NOW + 300),
            "ok",
        ),
        (
            Sent::signed("DescribeInstances", "2019-09-24", "POST", "", "application/json", b"{}", NOW - 301),
            "AuthFailure.SignatureExpire",
        ),
        (
            Sent::signed("DescribeInstances", "2019-09-24", "POST", "", "application/json", b"{}", NOW + 301),
            "AuthFailure.SignatureExpire",
        ),
        (
            Sent::v1("GET", &[("Action", "DescribeInstances"), ("SecretId", "AKIDnobody")]),
            "AuthFailure.SecretIdNotFound",
        ),
        (
            Sent::v1("POST", &[("Action", "DescribeInstances"), ("SignatureMethod", "HmacSHA1")]),
            "AuthFailure.SignatureFailure",
        ),
        (Sent::v1("POST", &[("Action", "DescribeInstances"), ("Token", "t")]), "AuthFailure.TokenFailure"),
        (
            Sent::v1("POST", &[("Action", "DescribeInstances"), ("Timestamp", "1")]),
            "AuthFailure.SignatureExpire",
        ),
        (Sent::v1("POST", &[("Action", "DescribeInstances"), ("Nonce", "-1")]), "InvalidParameter"),
    ];
    for (at, (sent, code)) in cases.into_iter().enumerate() {
        assert_eq!(sent.code().await, code, "case {at}");
    }
}

#[tokio::test]
async fn a_refused_signature_leaves_what_the_server_computed() {
    let gateway = gateway(None);
    let reply = Sent::v3("DescribeInstances", "{}").body(b"{ }").answer(&gateway).await;
    let id = RequestId(reply["RequestId"].as_str().unwrap().parse().unwrap());
    let record = gateway.traces().find(id).unwrap();
    let computed = record.computed.unwrap();
    assert!(computed.canonical_request.unwrap().starts_with("POST\n/\n\ncontent-type:application/json\n"));
    assert!(computed.string_to_sign.starts_with("TC3-HMAC-SHA256\n1551113065\n2019-02-25/tcr/tc3_request\n"));
    assert_eq!(record.error.unwrap().code, "AuthFailure.SignatureFailure");
}

#[tokio::test]
async fn actions_versions_and_products_are_looked_up() {
    let invalid = Sent::v3("NoSuchAction", "{}").answer(&gateway(None)).await;
    assert_eq!(
        message(&invalid),
        "The request action=`NoSuchAction` is invalid or not found in service=`tcr` and version=`2019-09-24`."
    );
    let version = Sent::v3("DescribeInstances", "{}").header("X-TC-Version", Some("2020-01-01"));
    let reply = version.answer(&gateway(None)).await;
    assert_eq!(reply["Error"]["Code"], "NoSuchVersion");
    assert_eq!(message(&reply), "The specified api version=`2020-01-01` does not exist in service=`tcr`.");
    // Known to the model, registered nowhere.
    assert_eq!(Sent::v3("CreateGCJob", "{}").code().await, "UnsupportedOperation");
}

#[tokio::test]
async fn regions_each_fail_in_their_own_way() {
    for (region, code) in [
        (Some(""), "InvalidParameterValue"),
        (Some("ap-atlantis"), "InvalidParameterValue"),
        (Some("na-toronto"), "UnsupportedRegion"),
        (Some("ap-shanghai-fsi"), "UnsupportedRegion"),
        (Some("ap-tokyo"), "ok"),
    ] {
        let sent = Sent::v3("DescribeInstances", "{}").header("X-TC-Region", region);
        assert_eq!(sent.code().await, code, "{region:?}");
    }
}

#[tokio::test]
async fn sizes_types_and_methods_are_checked_on_arrival() {
    let long = format!("Limit=7&{}", "x".repeat(33 * 1024));
    assert_eq!(Sent::get("DescribeInstances", &long).code().await, "RequestSizeLimitExceeded");
    let large = vec![b' '; 11 * 1024 * 1024];
    let v3 = Sent::v3("DescribeInstances", "{}").body(&large);
    assert_eq!(v3.code().await, "RequestSizeLimitExceeded");
    let v1 = Sent::v1("POST", &[("Action", "DescribeInstances")]).body(&large);
    let reply = v1.answer(&gateway(None)).await;
    assert_eq!(reply["Error"]["Code"], "AuthFailure.SignatureFailure");
    assert!(message(&reply).contains("exceeding request size limit"));
    let mut put = Sent::v3("DescribeInstances", "{}");
    put.method = Method::PUT;
    assert_eq!(put.code().await, "UnsupportedProtocol");
    let typed = |content_type| {
        Sent::signed("DescribeInstances", "2019-09-24", "POST", "", content_type, b"{}", NOW).code()
    };
    assert_eq!(typed("text/plain").await, "InvalidParameterValue");
    assert_eq!(typed("application/json; charset=utf-8").await, "ok");
    let foreign =
        Sent::v1("POST", &[("Action", "DescribeInstances")]).header("Content-Type", Some("text/plain"));
    assert_eq!(foreign.code().await, "MissingParameter");
}

#[tokio::test]
async fn parameters_are_checked_after_the_signature() {
    for (body, code) in [
        ("{", "InvalidParameter"),
        ("\u{0}", "InvalidParameter"),
        (r#"{"X":1}"#, "UnknownParameter"),
        (r#"{"Limit":"x"}"#, "InvalidParameter"),
    ] {
        assert_eq!(Sent::v3("DescribeInstances", body).code().await, code, "{body}");
    }
    let broken = Sent::v3("DescribeInstances", "{").header("X-TC-Token", Some("t"));
    assert_eq!(broken.code().await, "AuthFailure.TokenFailure");
    let repeated = Sent::v1("GET", &[("Action", "DescribeInstances"), ("Limit", "1"), ("Limit", "2")]);
    assert_eq!(repeated.code().await, "InvalidParameter");
}

#[tokio::test]
async fn the_callers_language_is_answered() {
    let reply = Sent::v3("DescribeInstances", r#"{"X":1}"#)
        .header("X-TC-Language", Some("zh-CN"))
        .answer(&gateway(None))
        .await;
    assert_eq!(message(&reply), "未知参数错误，用户多传未定义的参数会导致错误。");
    let unknown = Sent::v3("DescribeInstances", "{}").header("X-TC-Language", Some("fr-FR"));
    assert_eq!(unknown.code().await, "InvalidParameterValue");
}

#[tokio::test]
async fn permission_is_asked_for_the_named_resource() {
    let gateway = gateway(None);
    let reply = Sent::v3("DeleteInstance", r#"{"RegistryId":"forbidden"}"#).answer(&gateway).await;
    assert_eq!(reply["Error"]["Code"], "UnauthorizedOperation");
    let id = reply["RequestId"].as_str().unwrap();
    assert_eq!(
        message(&reply),
        format!(
            "[request id:{id}]you are not authorized to perform operation (tcr:DeleteInstance)\nresource (qcs::tcr:ap-guangzhou:uin/100:instance/forbidden) has no permission\n"
        )
    );
}

#[tokio::test]
async fn what_fails_inside_is_traced_and_not_told() {
    let gateway = gateway(None);
    let reply = Sent::v3("DeleteInstance", r#"{"RegistryId":"tcr-1"}"#).answer(&gateway).await;
    assert_eq!(reply["Error"], json!({"Code": "InternalError.DbError", "Message": "Database error."}));
    let id = RequestId(reply["RequestId"].as_str().unwrap().parse().unwrap());
    let traced = gateway.traces().find(id).unwrap().error.unwrap();
    assert_eq!(traced.internal.as_deref(), Some("disk sda1"));
}

#[tokio::test]
async fn the_rate_is_limited_where_asked() {
    let gateway = gateway(Some(1));
    assert!(Sent::v3("DescribeInstances", "{}").answer(&gateway).await["Error"].is_null());
    let reply = Sent::v3("DescribeInstances", "{}").answer(&gateway).await;
    assert_eq!(reply["Error"]["Code"], "RequestLimitExceeded");
    assert_eq!(
        message(&reply),
        "Your current request times equals to `2` in a second, which exceeds the frequency limit `1` for a second. Please reduce the frequency of calls."
    );
}

#[tokio::test]
async fn unsigned_calls_are_for_two_actions_only() {
    let mut sent = Sent::v3("AssumeRoleWithSAML", "{}").header("Authorization", Some("SKIP"));
    sent = sent
        .header("X-TC-Version", Some(sts::PRODUCT.version))
        .header("Host", Some("sts.tencentcloudapi.com"));
    // Not implemented yet, and said so; anything else that skips its signature is refused as unsigned.
    assert_eq!(sent.code().await, "UnsupportedOperation");
}
