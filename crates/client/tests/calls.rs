//! Calls as a server sees them: each way of signing, what goes with it, and every failure.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod stub;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use rookery_api::decode::flattened;
use rookery_api::sts::{AssumeRoleWithWebIdentityRequest, GetCallerIdentityRequest};
use rookery_api::tcr::{DescribeInstancesRequest, Filter};
use rookery_client::{
    Client, ClientError, CredentialError, Credentials, Hmac, Signing, Transport, TransportError, Trust,
};
use rookery_tc3::{v1, v3};
use stub::{Answer, Stub, header};

fn request() -> DescribeInstancesRequest {
    DescribeInstancesRequest {
        filters: Some(vec![Filter { name: "RegistryName".to_owned(), values: vec!["a b".to_owned()] }]),
        all_region: Some(true),
        limit: Some(5),
        ..DescribeInstancesRequest::default()
    }
}

async fn stub() -> Stub {
    Stub::start(|_, _| Answer::response(r#""TotalCount":0,"Registries":[]"#)).await
}

/// The one request that was sent after a call signed by `signing`.
async fn sent(stub: &Stub, signing: Signing) -> Request<Bytes> {
    let credentials = Credentials::new("AKID1", "secret").with_token("tok");
    let client = Client::new(&stub.url, credentials).unwrap().region("ap-guangzhou").language("zh-CN");
    let client = client.request_client("test_1").unwrap().signing(signing);
    let reply = client.call(&request()).await.unwrap();
    assert_eq!((reply.request_id.as_str(), reply.response.total_count), ("r", 0));
    stub.seen().pop().unwrap()
}

#[tokio::test]
async fn v3_signs_what_it_sends() {
    for signing in [Signing::V3Post, Signing::V3Get] {
        let stub = stub().await;
        let sent = sent(&stub, signing).await;
        let names = ["X-TC-Action", "X-TC-Version", "X-TC-Region", "X-TC-Language", "X-TC-Token"];
        let values = ["DescribeInstances", "2019-09-24", "ap-guangzhou", "zh-CN", "tok"];
        assert_eq!(names.map(|name| header(&sent, name)), values);
        assert!(header(&sent, "X-TC-RequestClient").ends_with("; test_1"));
        let headers: Vec<_> =
            sent.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let verified = v3::Request {
            method: sent.method().as_str(),
            path: sent.uri().path(),
            query: sent.uri().query().unwrap_or_default(),
            headers: &headers,
            body: sent.body(),
            timestamp: header(&sent, "X-TC-Timestamp"),
        };
        let authorization = v3::Authorization::parse(header(&sent, "Authorization")).unwrap();
        assert_eq!((authorization.secret_id, authorization.service), ("AKID1", "tcr"));
        let key = v3::SigningKey::derive("secret", authorization.date, authorization.service);
        assert!(v3::verify(&verified, &authorization, &key).is_ok(), "{signing}");
    }
}

#[tokio::test]
async fn parameters_are_json_or_flattened() {
    let stub = stub().await;
    let posted = sent(&stub, Signing::V3Post).await;
    let body = r#"{"Filters":[{"Name":"RegistryName","Values":["a b"]}],"Limit":5,"AllRegion":true}"#;
    let json = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
    assert_eq!(json(posted.body()), json(body.as_bytes()));
    let got = sent(&stub, Signing::V3Get).await;
    let mut pairs = flattened::pairs(got.uri().query().unwrap().as_bytes()).unwrap();
    pairs.sort();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("AllRegion", "true"),
        ("Filters.0.Name", "RegistryName"),
        ("Filters.0.Values.0", "a b"),
        ("Limit", "5"),
    ];
    assert_eq!(pairs, expected);
    assert!(got.body().is_empty());
}

#[tokio::test]
async fn v1_signs_every_parameter() {
    for hmac in [Hmac::HmacSha1, Hmac::HmacSha256] {
        for signing in [Signing::V1Get(hmac), Signing::V1Post(hmac)] {
            let stub = stub().await;
            let sent = sent(&stub, signing).await;
            let text = sent.uri().query().map_or(&sent.body()[..], str::as_bytes);
            let parameters = flattened::pairs(text).unwrap();
            let value =
                |name: &str| parameters.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
            assert_eq!((value("Action"), value("Version")), ("DescribeInstances", "2019-09-24"));
            assert_eq!(
                (value("Token"), value("Language"), value("Region")),
                ("tok", "zh-CN", "ap-guangzhou")
            );
            assert_eq!(value("Filters.0.Values.0"), "a b");
            assert!(value("Nonce").parse::<i64>().is_ok() && value("RequestClient").ends_with("; test_1"));
            let method = v1::Method::from_parameter(Some(value("SignatureMethod")));
            assert_eq!(method, hmac);
            let host = header(&sent, "Host").as_bytes();
            let verb = sent.method().as_str();
            let request = v1::Request { method: verb, host, path: "/", parameters: &parameters };
            let reading = v1::verify(&request, method, value("Signature"), "secret");
            assert_eq!(reading, Ok(v1::Reading::AsSent), "{signing}");
            assert_eq!(header(&sent, "Authorization"), "");
        }
    }
}

#[tokio::test]
async fn the_two_actions_with_another_proof_are_not_signed() {
    let members =
        r#""ExpiredTime":1,"Expiration":"","Credentials":{"Token":"t","TmpSecretId":"i","TmpSecretKey":"k"}"#;
    let stub = Stub::start(move |_, _| Answer::response(members)).await;
    let client =
        Client::new(&stub.url, Credentials::new("", "")).unwrap().signing(Signing::V1Get(Hmac::HmacSha1));
    let reply = client.call(&AssumeRoleWithWebIdentityRequest::default()).await.unwrap();
    assert_eq!(reply.response.credentials.tmp_secret_id, "i");
    let sent = stub.seen().pop().unwrap();
    assert_eq!((header(&sent, "Authorization"), header(&sent, "X-TC-Token")), ("SKIP", ""));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_it_is() {
    let stub = stub().await;
    let v1 = stub.client().signing(Signing::V1Post(Hmac::HmacSha256));
    let refused = v1.call_json("x", "2020-01-01", "Y", br#"{"Timestamp":"of the action"}"#).await;
    assert!(matches!(refused, Err(ClientError::Unsendable(reason)) if reason.contains("Timestamp")));
    let refused = stub.client().signing(Signing::V3Get).call_json("x", "2020-01-01", "Y", b"[]").await;
    assert!(matches!(refused, Err(ClientError::Unsendable(_))));
    let refused = stub.client().region("two\nlines").call(&GetCallerIdentityRequest {}).await;
    assert!(matches!(refused, Err(ClientError::Unsendable(reason)) if reason.contains("X-TC-Region")));
    let blank = Client::new(&stub.url, Credentials::new("AKID1", " ")).unwrap();
    let refused = blank.call(&GetCallerIdentityRequest {}).await;
    assert!(matches!(refused, Err(ClientError::Credentials(CredentialError::Unusable { .. }))));
    assert!(matches!(Client::new("ftp://x", Credentials::new("i", "k")), Err(ClientError::Endpoint(_))));
    assert_eq!(stub.count(), 0);
}

#[tokio::test]
async fn refusals_and_unreadable_replies_are_told_apart() {
    let stub = Stub::start(|number, _| match number {
        0 => Answer::refusal("AuthFailure.SecretIdNotFound"),
        1 => Answer::Reply(502, b"<html>".to_vec()),
        _ => Answer::response(r#""TotalCount":"many""#),
    })
    .await;
    let client = stub.client();
    let refused = client.call(&request()).await.unwrap_err();
    assert_eq!(refused.code(), Some("AuthFailure.SecretIdNotFound"));
    assert_eq!(refused.to_string(), "AuthFailure.SecretIdNotFound: m (request r)");
    assert!(matches!(client.call(&request()).await, Err(ClientError::Reply { status: 502, .. })));
    let mistyped = client.call(&request()).await.unwrap_err();
    assert!(matches!(&mistyped, ClientError::Reply { .. }) && mistyped.code().is_none());
    assert!(mistyped.to_string().contains("TotalCount"), "{mistyped}");
}

#[tokio::test]
async fn connections_fail_in_four_ways() {
    let stub = Stub::start(|number, _| match number {
        0 => Answer::Break,
        1 => Answer::Silence,
        _ => Answer::Reply(200, vec![b' '; 64 * 1024 * 1024 + 1]),
    })
    .await;
    let kind = async |client: Client| match client.call(&GetCallerIdentityRequest {}).await {
        Err(ClientError::Transport(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(kind(stub.client()).await, TransportError::Broken { .. }));
    let hasty = Transport::new(&Trust::Public).unwrap().timeout(Duration::from_millis(300));
    assert!(matches!(kind(stub.client().transport(hasty)).await, TransportError::Timeout { .. }));
    assert!(matches!(kind(stub.client()).await, TransportError::TooLarge { .. }));
    let nobody = Client::new("http://127.0.0.1:1", Credentials::new("i", "k")).unwrap();
    assert!(matches!(kind(nobody).await, TransportError::Connect { .. }));
    let secretive =
        Client::new("http://127.0.0.1:1", Credentials::new("AKID1", "k").with_token("tok")).unwrap();
    let error = kind(secretive.signing(Signing::V1Get(Hmac::HmacSha256))).await.to_string();
    assert!(error.starts_with("http://127.0.0.1:1/: no connection"), "the query holds a token: {error}");
    let plain = Client::new(&stub.url.replace("http:", "https:"), Credentials::new("i", "k")).unwrap();
    assert!(matches!(kind(plain).await, TransportError::Connect { .. }), "no TLS is spoken there");
}
