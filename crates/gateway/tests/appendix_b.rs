//! The captured requests of official clients (`clients.md`, Appendix B) walk the whole street with the clock of their own second; and none
//! does with one byte of it changed.
//!
//! Which change meets which refusal:
//!
//! | changed | v3 | v1 |
//! |---|---|---|
//! | method | `UnsupportedProtocol` | `UnsupportedProtocol` |
//! | host | `AuthFailure.SignatureFailure` | `AuthFailure.SignatureFailure` |
//! | path | open, because some clients sign `/` whatever they send (Go, Java); Node's `AuthFailure.SignatureFailure` | `AuthFailure.SignatureFailure` |
//! | query, body, `Content-Type`, signature | `AuthFailure.SignatureFailure` | `AuthFailure.SignatureFailure` |
//! | SecretId | `AuthFailure.SecretIdNotFound` | `AuthFailure.SecretIdNotFound` |
//! | SecretKey | `AuthFailure.SignatureFailure` | `AuthFailure.SignatureFailure` |
//! | token | `AuthFailure.TokenFailure` | `AuthFailure.TokenFailure` |
//! | date of the scope | `AuthFailure.InvalidAuthorization` | – |
//! | service of the scope | `AuthFailure.InvalidAuthorization` at a product's address, else `AuthFailure.SignatureFailure` | – |
//! | timestamp | on another day `AuthFailure.InvalidAuthorization`, over 300 s `AuthFailure.SignatureExpire`, else `AuthFailure.SignatureFailure` | the last two |
//!
//! Three things are open in v3, by the clients' doing and not the gateway's: the path, the port in Node's host (it signs the host without
//! it), and bodies under `UNSIGNED-PAYLOAD`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod kit;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use kit::laboratory::{self, Never};
use kit::{KEY, OneKey, Sent, encode, gateway_of, options};
use percent_encoding::percent_decode_str;
use rookery_api::products::{cvm, kms, mariadb, sts, tcr};
use rookery_api::{Nulls, Request};
use rookery_gateway::{Actions, Call, Gateway, Resource};
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Deserialize)]
struct Capture {
    client: String,
    label: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Capture {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("../../tc3/tests/data/captures.json")).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The parameters of a v1 request, decoded, and whether they are in the query.
    fn parameters(&self) -> Vec<(String, String)> {
        let text = match self.method.as_str() {
            "GET" => self.target.split_once('?').unwrap().1,
            _ => &self.body,
        };
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
        text.split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(n, v)| (decode(n), decode(v)))
            .collect()
    }

    fn v1_parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn is_v1(&self) -> bool {
        self.header("authorization").is_none()
    }

    fn is_skipped(&self) -> bool {
        self.header("authorization") == Some("SKIP")
    }

    fn timestamp(&self) -> i64 {
        let v1 = || self.v1_parameter("Timestamp").unwrap();
        self.header("x-tc-timestamp").map_or_else(v1, str::to_owned).parse().unwrap()
    }

    fn token(&self) -> Option<&'static str> {
        let token = match self.header("x-tc-token") {
            Some(token) => Some(token.to_owned()),
            None if self.is_v1() => self.v1_parameter("Token"),
            None => None,
        };
        token.map(|token| {
            ["TOKENEXAMPLE", "TOKENEXAMPLE0123456789"].into_iter().find(|known| *known == token).unwrap()
        })
    }

    fn sent(&self) -> Sent {
        let bytes = |(name, value): &(String, String)| (name.clone(), value.clone().into_bytes());
        Sent {
            method: self.method.parse().unwrap(),
            target: self.target.clone(),
            headers: self.headers.iter().map(bytes).collect(),
            body: self.body.clone().into_bytes(),
        }
    }

    fn gateway(&self, secret_key: &'static str, seen: &Seen) -> Gateway {
        let identity = OneKey { token: self.token(), secret_key };
        gateway_of(self.timestamp(), identity, actions(seen), options())
    }

    fn case(&self, what: &str) -> String {
        format!("{} / {}: {what}", self.client, self.label)
    }
}

/// What reached an action: its product and name, and its parameters as JSON.
type Seen = Arc<Mutex<Vec<(String, Value)>>>;

fn add<R: Request>(actions: &mut Actions, seen: &Seen, reply: fn() -> R::Response) {
    let seen = Arc::clone(seen);
    actions.add(
        |_: &Call<R>| vec![Resource::any()],
        move |call: Call<R>| {
            let name = format!("{} {}", R::PRODUCT.name, R::PRODUCT.actions[R::ACTION].name);
            let parameters = serde_json::from_slice(&call.request.to_json(Nulls::Omitted)).unwrap();
            seen.lock().unwrap().push((name, parameters));
            Box::pin(async move { Ok::<_, Never>(reply()) })
        },
    );
}

fn actions(seen: &Seen) -> Actions {
    let mut actions = Actions::of(Vec::leak([rookery_api::PRODUCTS, &[&laboratory::CLS]].concat()));
    add::<cvm::DescribeInstancesRequest>(&mut actions, seen, Default::default);
    add::<cvm::RunInstancesRequest>(&mut actions, seen, Default::default);
    add::<cvm::DescribeRegionsRequest>(&mut actions, seen, Default::default);
    add::<tcr::DescribeInstancesRequest>(&mut actions, seen, Default::default);
    add::<kms::CreateKeyRequest>(&mut actions, seen, Default::default);
    add::<kms::ListKeysRequest>(&mut actions, seen, Default::default);
    add::<sts::GetCallerIdentityRequest>(&mut actions, seen, Default::default);
    add::<sts::AssumeRoleRequest>(&mut actions, seen, Default::default);
    add::<mariadb::DescribeDBInstancesRequest>(&mut actions, seen, Default::default);
    add::<mariadb::AssociateSecurityGroupsRequest>(&mut actions, seen, Default::default);
    add::<laboratory::UploadLogRequest>(&mut actions, seen, || laboratory::Echo(None));
    actions
}

/// What a capture is answered: nothing but the bytes of the request decides.
fn expected(capture: &Capture) -> &'static str {
    let is = |part: &str| capture.label.contains(part);
    if capture.is_skipped() {
        // Not implemented yet, and said so: the assertion, not a signature, is the proof.
        "UnsupportedOperation"
    } else if is("multipart") || is("node v3 octet-stream") {
        // The clients' generic call, tried on an action that takes no bytes.
        "InvalidParameterValue"
    } else if is("empty region") {
        "InvalidParameterValue"
    } else if is("region empty") {
        "MissingParameter"
    } else {
        "ok"
    }
}

#[tokio::test]
async fn every_capture_is_answered() {
    let mut answered = BTreeMap::new();
    for capture in Capture::all() {
        let seen = Seen::default();
        let reply = capture.sent().answer(&capture.gateway(KEY, &seen)).await;
        let code = reply["Error"]["Code"].as_str().unwrap_or("ok");
        assert_eq!(code, expected(&capture), "{} {reply}", capture.case("as captured"));
        assert_eq!(seen.lock().unwrap().len(), usize::from(code == "ok"), "{}", capture.case("reached"));
        *answered.entry(code.to_owned()).or_insert(0) += 1;
    }
    let of = |code: &str| answered.get(code).copied().unwrap_or_default();
    assert_eq!(answered.values().sum::<i32>(), 86);
    assert_eq!((of("ok"), of("UnsupportedOperation")), (78, 3), "{answered:?}");
}

#[tokio::test]
async fn a_call_means_the_same_however_a_client_sends_it() {
    let mut meanings: BTreeMap<String, Value> = BTreeMap::new();
    let mut compared = 0;
    for capture in Capture::all() {
        // `python HmacSHA1 GET cvm.RunInstances nested`: client, signature, method, call.
        let words: Vec<&str> = capture.label.splitn(4, ' ').collect();
        let [client, "TC3-HMAC-SHA256" | "HmacSHA256" | "HmacSHA1", "GET" | "POST", call] = words[..] else {
            continue;
        };
        if !call.starts_with("cvm.") {
            continue;
        }
        let seen = Seen::default();
        assert_eq!(capture.sent().code(&capture.gateway(KEY, &seen)).await, "ok");
        let (_, parameters) = seen.lock().unwrap().pop().unwrap();
        let first = meanings.entry(format!("{client} {call}")).or_insert_with(|| parameters.clone());
        assert_eq!(*first, parameters, "{}", capture.case("parameters"));
        compared += 1;
    }
    // Four clients, two calls, three signatures by two methods.
    assert_eq!((meanings.len(), compared), (8, 48));
}

/// The texts that differ from `text` in one byte, which stays visible.
fn flips(text: &str) -> Vec<String> {
    let flip = |at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] ^= 1;
        // `#` would begin a fragment, which no client sends, and what is not visible cannot be sent in a header or a target.
        if !bytes[at].is_ascii_graphic() || b"#\"<>\\^`{|}".contains(&bytes[at]) {
            bytes[at] = b'!';
        }
        String::from_utf8(bytes).unwrap()
    };
    (0..text.len())
        .filter(|&at| text.as_bytes()[at].is_ascii_graphic())
        .map(flip)
        .filter(|flipped| flipped != text)
        .collect()
}

struct Signed<'a> {
    capture: &'a Capture,
    gateway: Gateway,
}

impl Signed<'_> {
    async fn refused(&self, what: &str, sent: Sent, codes: &[&str]) {
        let target = sent.target.clone();
        let code = sent.code(&self.gateway).await;
        assert!(
            codes.contains(&code.as_str()),
            "{} {target}: {code}, not {codes:?}",
            self.capture.case(what)
        );
    }
}

const SIGNATURE: &str = "AuthFailure.SignatureFailure";
const AUTHORIZATION: &str = "AuthFailure.InvalidAuthorization";
const EXPIRED: &str = "AuthFailure.SignatureExpire";

/// Methods, hosts and keys are signed in both styles alike.
async fn changes_of_both(signed: &Signed<'_>) {
    let capture = signed.capture;
    for method in flips(&capture.method) {
        signed.refused("method", capture.sent().method(&method), &["UnsupportedProtocol"]).await;
    }
    let other = if capture.method == "GET" { "POST" } else { "GET" };
    let codes = if capture.is_v1() { &["MissingParameter"][..] } else { &[SIGNATURE] };
    signed.refused("the other method", capture.sent().method(other), codes).await;
    let host = capture.header("host").unwrap();
    for (at, changed) in flips(host).into_iter().enumerate() {
        let port =
            host.rfind(':').filter(|_| host.ends_with(|c: char| c.is_ascii_digit())).unwrap_or(host.len());
        if capture.client.contains("nodejs") && !capture.is_v1() && at > port {
            continue;
        }
        signed.refused("host", capture.sent().with("Host", Some(&changed)), &[SIGNATURE]).await;
    }
}

async fn changes_of_v3(signed: &Signed<'_>) {
    let capture = signed.capture;
    let sent = || capture.sent();
    let authorization = capture.header("authorization").unwrap();
    let credential = authorization.split("Credential=").nth(1).unwrap().split(',').next().unwrap();
    let scope: Vec<&str> = credential.split('/').collect();
    let [secret_id, date, service, "tc3_request"] = scope[..] else { panic!("{credential}") };
    let with = |old: &str, new: &str| sent().with("Authorization", Some(&authorization.replace(old, new)));
    for changed in flips(secret_id) {
        // A `/` in it is another form, not another key.
        let code = if changed.contains('/') { AUTHORIZATION } else { "AuthFailure.SecretIdNotFound" };
        signed.refused("SecretId", with(secret_id, &changed), &[code]).await;
    }
    for changed in flips(date) {
        let changed = with(&format!("/{date}/"), &format!("/{changed}/"));
        signed.refused("date", changed, &[AUTHORIZATION]).await;
    }
    // Named addresses are the Terraform provider's.
    let code = if capture.client.contains("Terraform") { AUTHORIZATION } else { SIGNATURE };
    for changed in flips(service) {
        let changed = with(&format!("/{service}/tc3"), &format!("/{changed}/tc3"));
        signed.refused("service", changed, &[code]).await;
    }
    let (unsigned, signature) = authorization.split_once("Signature=").unwrap();
    for at in 0..signature.len() {
        let digit = if signature.as_bytes()[at] == b'0' { "1" } else { "0" };
        let changed = format!("{unsigned}Signature={}{digit}{}", &signature[..at], &signature[at + 1..]);
        signed.refused("signature", sent().with("Authorization", Some(&changed)), &[SIGNATURE]).await;
    }
    for changed in flips(capture.header("content-type").unwrap()) {
        signed.refused("Content-Type", sent().with("Content-Type", Some(&changed)), &[SIGNATURE]).await;
    }
    let timestamp = capture.header("x-tc-timestamp").unwrap();
    for changed in flips(timestamp) {
        let at: i64 = changed.parse().unwrap();
        let is_that_day = rookery_tc3::v3::scope_date(at).as_deref() == Some(date);
        let code = match (is_that_day, at.abs_diff(capture.timestamp())) {
            (false, _) => AUTHORIZATION,
            (true, 301..) => EXPIRED,
            (true, _) => SIGNATURE,
        };
        signed.refused("timestamp", sent().with("X-TC-Timestamp", Some(&changed)), &[code]).await;
    }
    for changed in capture.header("x-tc-token").map(flips).unwrap_or_default() {
        signed
            .refused("token", sent().with("X-TC-Token", Some(&changed)), &["AuthFailure.TokenFailure"])
            .await;
    }
    if let Some((path, query)) = capture.target.split_once('?') {
        for changed in flips(query) {
            let changed = Sent { target: format!("{path}?{changed}"), ..sent() };
            signed.refused("query", changed, &[SIGNATURE]).await;
        }
    }
    if capture.header("x-tc-content-sha256").is_none() {
        for at in 0..capture.body.len() {
            let mut body = capture.body.clone().into_bytes();
            body[at] ^= 1;
            signed.refused("body", sent().body(&body), &[SIGNATURE]).await;
        }
    }
}

async fn changes_of_v1(signed: &Signed<'_>) {
    let capture = signed.capture;
    let parameters = capture.parameters();
    let sent = |parameters: &[(String, String)]| {
        let text: Vec<_> = parameters.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        match capture.method.as_str() {
            "GET" => Sent { target: format!("/?{}", text.join("&")), ..capture.sent() },
            _ => capture.sent().body(text.join("&").as_bytes()),
        }
    };
    let again = sent(&parameters).code(&signed.gateway).await;
    assert_eq!(again, expected(capture), "encoding differs, and means the same");
    for (at, (name, value)) in parameters.iter().enumerate() {
        for changed in flips(value) {
            let codes: &[&str] = match name.as_str() {
                "SecretId" => &["AuthFailure.SecretIdNotFound"],
                "Token" => &["AuthFailure.TokenFailure"],
                "Timestamp" if changed.parse::<i64>().unwrap().abs_diff(capture.timestamp()) > 300 => {
                    &[EXPIRED]
                }
                "Language" => &["InvalidParameterValue"],
                _ => &[SIGNATURE],
            };
            let mut parameters = parameters.clone();
            parameters[at].1 = changed;
            signed.refused(name, sent(&parameters), codes).await;
        }
        for changed in flips(name) {
            let codes: &[&str] = match name.as_str() {
                "Action" | "Version" | "Timestamp" | "Nonce" | "SecretId" | "Signature" => {
                    &["MissingParameter"]
                }
                "Token" => &["AuthFailure.TokenFailure"],
                _ => &[SIGNATURE],
            };
            let mut parameters = parameters.clone();
            parameters[at].0 = changed;
            signed.refused(name, sent(&parameters), codes).await;
        }
    }
    let prefixed = Sent { target: capture.target.replacen('/', "/x", 1), ..capture.sent() };
    signed.refused("path", prefixed, &[SIGNATURE]).await;
}

async fn every_change_is_refused(capture: Capture) {
    let other_key = capture.gateway("Gu5t9xGARNpq86cd98joQYCN3EXAMPLF", &Seen::default());
    assert_eq!(capture.sent().code(&other_key).await, SIGNATURE, "{}", capture.case("SecretKey"));
    let signed = Signed { gateway: capture.gateway(KEY, &Seen::default()), capture: &capture };
    changes_of_both(&signed).await;
    if capture.is_v1() {
        changes_of_v1(&signed).await;
    } else {
        changes_of_v3(&signed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_with_one_byte_changed_is_refused() {
    let signed = Capture::all().into_iter().filter(|capture| !capture.is_skipped());
    let tasks: Vec<_> = signed.map(|capture| tokio::spawn(every_change_is_refused(capture))).collect();
    assert_eq!(tasks.len(), 83);
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn the_path_is_open_where_clients_sign_a_slash_whatever_they_send() {
    for capture in Capture::all().iter().filter(|capture| !capture.is_v1() && capture.target == "/") {
        let elsewhere = Sent { target: "/tc_api".to_owned(), ..capture.sent() };
        let code = elsewhere.code(&capture.gateway(KEY, &Seen::default())).await;
        // The reading under which Node's requests verify is of the path that was sent.
        let is_node = capture.client.contains("nodejs") && !capture.is_skipped();
        let code_expected = if is_node { SIGNATURE } else { expected(capture) };
        assert_eq!(code, code_expected, "{}", capture.case("path"));
    }
}
