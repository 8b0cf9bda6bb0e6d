//! Keys from services: the metadata service, STS by role and by web identity.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod stub;

use std::time::{SystemTime, UNIX_EPOCH};

use rookery_client::credentials::{
    AssumedRole, Chain, IniFile, MachineRole, Refreshed, Sts, Variables, WebIdentity,
};
use rookery_client::{CredentialError, Credentials, ProvideCredentials};
use serde_json::Value;
use stub::{Answer, Stub, header};

fn in_seconds(seconds: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + seconds
}

fn key(expires_at: u64) -> String {
    format!(
        r#"{{"TmpSecretId":"AKIDt","TmpSecretKey":"k","ExpiredTime":{expires_at},"Expiration":"","Token":"t","Code":"Success"}}"#
    )
}

const PATH: &str = "/latest/meta-data/cam/security-credentials/";

#[tokio::test]
async fn the_metadata_service_names_the_role_and_gives_its_key() {
    let end = in_seconds(7200);
    let stub = Stub::start(move |_, request| match request.uri().path() {
        PATH => Answer::text("builder\n"),
        "/latest/meta-data/cam/security-credentials/builder" => Answer::text(&key(end)),
        _ => Answer::Reply(404, Vec::new()),
    })
    .await;
    let role = Refreshed::new(MachineRole::new().unwrap().at(&stub.url));
    let expected = Credentials::new("AKIDt", "k").with_token("t").expiring_at(end);
    assert_eq!(role.provide().await.unwrap(), expected);
    assert_eq!(role.provide().await.unwrap(), expected);
    assert_eq!(stub.count(), 2, "kept while it lasts");
    let named = MachineRole::new().unwrap().at(&stub.url).role("builder").provide().await;
    assert_eq!((named.unwrap(), stub.count()), (expected, 3));
}

#[tokio::test]
async fn a_key_that_ends_is_fetched_again() {
    let stub = Stub::start(|_, request| {
        if request.uri().path() == PATH { Answer::text("r") } else { Answer::text(&key(in_seconds(0))) }
    })
    .await;
    let role = Refreshed::new(MachineRole::new().unwrap().at(&stub.url));
    role.provide().await.unwrap();
    role.provide().await.unwrap();
    assert_eq!(stub.count(), 4);
}

#[tokio::test]
async fn a_machine_without_a_role_has_none_and_a_broken_answer_is_told() {
    let at = |url: &str| MachineRole::new().unwrap().at(url);
    let none = Stub::start(|_, _| Answer::Reply(404, Vec::new())).await;
    assert!(matches!(at(&none.url).provide().await, Err(CredentialError::Absent { .. })));
    assert!(matches!(at("http://127.0.0.1:1").provide().await, Err(CredentialError::Absent { .. })));
    for (role, answer) in [
        ("r", r#"{"Code":"Failed"}"#),
        ("r", "no json"),
        ("r", r#"{"Code":"Success","TmpSecretId":"","TmpSecretKey":""}"#),
        ("../x", ""),
        ("", ""),
    ] {
        let stub = Stub::start(move |number, _| Answer::text(if number == 0 { role } else { answer })).await;
        let refused = at(&stub.url).provide().await;
        assert!(matches!(refused, Err(CredentialError::Unusable { .. })), "{role} {answer}");
    }
    let broken = Stub::start(|_, _| Answer::Break).await;
    assert!(matches!(at(&broken.url).provide().await, Err(CredentialError::Unusable { .. })));
}

fn exchanged(expires_at: u64) -> Answer {
    Answer::response(&format!(
        r#""Credentials":{{"Token":"t","TmpSecretId":"AKIDt","TmpSecretKey":"k"}},"ExpiredTime":{expires_at},"Expiration":"e""#
    ))
}

fn pod(token_file: &str) -> Variables {
    Variables::given([
        ("TKE_REGION", "ap-tokyo"),
        ("TKE_PROVIDER_ID", "provider"),
        ("TKE_WEB_IDENTITY_TOKEN_FILE", token_file),
        ("TKE_ROLE_ARN", "qcs::cam::uin/1:roleName/pod"),
    ])
}

#[tokio::test]
async fn a_web_identity_is_exchanged_without_a_signature() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "jwt-1\n").unwrap();
    let stub = Stub::start(|_, _| exchanged(in_seconds(0))).await;
    let sts = Sts::new(&stub.url).unwrap();
    let identity = Refreshed::new(WebIdentity::new(pod(file.to_str().unwrap()), sts));
    assert_eq!(identity.provide().await.unwrap().token(), Some("t"));
    std::fs::write(&file, "jwt-2\n").unwrap();
    identity.provide().await.unwrap();

    let seen = stub.seen();
    let [first, second] = &seen[..] else { panic!("{} requests", seen.len()) };
    assert_eq!(header(first, "X-TC-Action"), "AssumeRoleWithWebIdentity");
    assert_eq!((header(first, "Authorization"), header(first, "X-TC-Region")), ("SKIP", "ap-tokyo"));
    let body =
        |request: &http::Request<bytes::Bytes>| serde_json::from_slice::<Value>(request.body()).unwrap();
    assert_eq!(
        (&body(first)["ProviderId"], &body(first)["WebIdentityToken"]),
        (&"provider".into(), &"jwt-1".into())
    );
    assert_eq!(body(first)["RoleArn"], "qcs::cam::uin/1:roleName/pod");
    assert_eq!(body(second)["WebIdentityToken"], "jwt-2", "the token is read anew");
}

#[tokio::test]
async fn a_web_identity_that_is_missing_broken_or_refused() {
    let stub = Stub::start(|_, _| Answer::refusal("InvalidParameter.WebIdentityTokenError")).await;
    let sts = || Sts::new(&stub.url).unwrap();
    let half = Variables::given([("TKE_REGION", "ap-tokyo")]);
    let absent = WebIdentity::new(half, sts()).provide().await;
    assert!(matches!(absent, Err(CredentialError::Absent { .. })));
    let missing = WebIdentity::new(pod("/nonexistent/token"), sts()).provide().await;
    assert!(matches!(missing, Err(CredentialError::Unusable { .. })));
    let refused = WebIdentity::new(pod("/dev/null"), sts()).provide().await.unwrap_err();
    assert!(matches!(&refused, CredentialError::Exchange { .. }));
    assert!(refused.to_string().contains("InvalidParameter.WebIdentityTokenError"), "{refused}");
    assert!(Sts::new("ftp://x").is_err());
}

#[tokio::test]
async fn a_role_is_assumed_with_the_key_beside_it() {
    let end = in_seconds(7200);
    let stub = Stub::start(move |_, _| exchanged(end)).await;
    let sts = || Sts::new(&stub.url).unwrap();
    let role = AssumedRole::new(sts(), Credentials::new("AKID1", "k"), "arn").session("s").lasting(900);
    let expected = Credentials::new("AKIDt", "k").with_token("t").expiring_at(end);
    assert_eq!(role.provide().await.unwrap(), expected);
    let sent = stub.seen().pop().unwrap();
    assert!(header(&sent, "Authorization").contains("Credential=AKID1/"));
    let body: Value = serde_json::from_slice(sent.body()).unwrap();
    assert_eq!(body, serde_json::json!({"RoleArn": "arn", "RoleSessionName": "s", "DurationSeconds": 900}));

    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".tencentcloud")).unwrap();
    std::fs::create_dir_all(home.path().join(".tccli")).unwrap();
    let ini = "[default]\nsecret_id=AKID2\nsecret_key=k\nrole_arn=arn2\n";
    std::fs::write(home.path().join(".tencentcloud/credentials"), ini).unwrap();
    let tccli = r#"{"secretId":"AKID3","secretKey":"k","role-arn":"arn3","role-session-name":"s3"}"#;
    std::fs::write(home.path().join(".tccli/ci.credential"), tccli).unwrap();
    let variables = Variables::given([("HOME", home.path().to_str().unwrap())]);
    assert_eq!(IniFile::new(&variables, sts()).provide().await.unwrap(), expected);
    assert_eq!(Chain::local(&variables, &sts(), Some("ci")).provide().await.unwrap(), expected);
    let body: Value = serde_json::from_slice(stub.seen()[2].body()).unwrap();
    assert_eq!((&body["RoleArn"], &body["RoleSessionName"]), (&"arn3".into(), &"s3".into()));
}

#[tokio::test]
async fn a_role_that_is_refused_says_why() {
    let stub = Stub::start(|_, _| Answer::refusal("InternalError.GetRoleError")).await;
    let role = AssumedRole::new(Sts::new(&stub.url).unwrap(), Credentials::new("AKID1", "k"), "arn");
    let refused = role.provide().await.unwrap_err();
    assert_eq!(refused.to_string(), "assumed role: InternalError.GetRoleError: m (request r)");
}
