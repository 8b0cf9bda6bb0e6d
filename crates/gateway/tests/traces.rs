//! What the trace masks: every member of the models that looks like a secret, listed in `masked_members.txt`. And what it says was sent and
//! never read.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod kit;

use std::collections::BTreeSet;

use rookery_api::PRODUCTS;
use rookery_api::shape::{Kind, StructureShape};
use rookery_gateway::masking::is_secret;
use rookery_gateway::never_read::Unread;
use rookery_gateway::{Gateway, RequestId};
use serde_json::json;

use crate::kit::{Draft, Sent, gateway, gateway_at, laboratory, v1_request};

/// Parts of names that make one look twice.
const SUSPICIOUS: [&str; 12] = [
    "secret",
    "pass",
    "token",
    "key",
    "plain",
    "material",
    "userdata",
    "credential",
    "assertion",
    "private",
    "auth",
    "header",
];

fn walk(product: &str, shape: &StructureShape, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
    if !seen.insert(format!("{product}.{}", shape.name)) {
        return;
    }
    for member in shape.members {
        let name = format!("{product}.{}.{}", shape.name, member.name);
        let lower = member.name.to_ascii_lowercase();
        if is_secret(member.name) {
            found.insert(format!("masked {name}"));
        } else if SUSPICIOUS.iter().any(|part| lower.contains(part)) {
            found.insert(format!("shown  {name}"));
        }
        let mut kind = &member.kind;
        while let Kind::List(item) = kind {
            kind = item;
        }
        if let Kind::Structure(inner) = kind {
            walk(product, inner, seen, found);
        }
    }
}

/// A new member that looks like a secret shows up here: decide whether it is one (`crates/gateway/src/masking.rs`), then write the list anew
/// with `UPDATE_SNAPSHOT=1`.
#[test]
fn every_member_that_looks_like_a_secret_is_decided() {
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    for product in PRODUCTS {
        for action in product.actions {
            walk(product.name, action.input, &mut seen, &mut found);
        }
    }
    let listed: String = found.into_iter().map(|line| line + "\n").collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/masked_members.txt");
    if std::env::var_os("UPDATE_SNAPSHOT").is_some() {
        std::fs::write(path, &listed).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    for (line, expected) in listed.lines().zip(expected.lines()) {
        assert_eq!(line, expected, "see the test's comment");
    }
    assert_eq!(listed.lines().count(), expected.lines().count(), "see the test's comment");
}

#[tokio::test]
async fn a_malformed_body_in_parts_says_what_is_wrong_in_the_trace_only() {
    let gateway = gateway();
    for (body, expected) in [
        ("{}", "the body does not begin with its boundary"),
        ("--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n--B--", "a part has no name"),
    ] {
        let sent = Draft::typed("Upload", "multipart/form-data; boundary=B", body.as_bytes()).sign();
        let reply = sent.answer(&gateway).await;
        assert_eq!(reply["Error"]["Message"], "The multipart format of the request body is incorrect.");
        let id = reply["RequestId"].as_str().unwrap().parse().unwrap();
        let error = gateway.traces().find(RequestId(id)).unwrap().error.unwrap();
        assert_eq!(error.detail.as_deref(), Some(expected));
    }
}

/// What the trace says of a request: (code, what was never read).
async fn never_read(gateway: &Gateway, sent: Sent) -> (String, serde_json::Value) {
    let reply = sent.answer(gateway).await;
    let id = reply["RequestId"].as_str().unwrap().parse().unwrap();
    let record = serde_json::to_value(gateway.traces().find(RequestId(id)).unwrap()).unwrap();
    (reply["Error"]["Code"].as_str().unwrap_or("ok").to_owned(), record["never_read"].clone())
}

#[tokio::test]
async fn members_that_were_sent_and_never_read_are_named() {
    const MEMBERS: &[&str] = &["Float", "Pairs.Deep", "Pair.Deep.Size", "Texts", "Nowhere"];
    let mut actions = laboratory::actions();
    let table = Unread { product: "lab", version: laboratory::VERSION, action: "Echo", members: MEMBERS };
    actions.never_reading(&[table, Unread { action: "Old", members: &[], ..table }]);
    let gateway = gateway_at(kit::NOW, None, actions, kit::options());
    for (body, expected) in [
        (json!({}), json!([])),
        (json!({"Text": "a", "Pair": {"Name": "b"}}), json!([])),
        (json!({"Float": null, "Int": 1}), json!([])),
        (json!({"Float": 0.0, "Texts": []}), json!(["Float", "Texts"])),
        (json!({"Texts": ["a", "b"], "Text": "a"}), json!(["Texts"])),
        (json!({"Pairs": [{"Name": "a"}]}), json!([])),
        (json!({"Pairs": [{"Name": "a"}, {"Name": "b", "Deep": {}}]}), json!(["Pairs.Deep"])),
        (json!({"Pair": {"Name": "a", "Deep": {}}}), json!([])),
        (json!({"Pair": {"Name": "a", "Deep": {"Size": 0}}}), json!(["Pair.Deep.Size"])),
    ] {
        let sent = Draft::post("Echo", &body.to_string()).sign();
        assert_eq!(never_read(&gateway, sent).await, ("ok".to_owned(), expected), "{body}");
    }
    let flattened = Draft::get("Echo", "Float=1&Text=a").sign();
    assert_eq!(never_read(&gateway, flattened).await.1, json!(["Float"]));
}

#[tokio::test]
async fn parts_of_a_message_that_nothing_looks_at_are_named() {
    let gateway = gateway();
    let region = ("Region", "ap-guangzhou");
    let v1 = v1_request("POST", &[("Action", "Echo"), ("Text", "a"), region]);
    for (sent, expected) in [
        (Draft::post("Echo", "{}").sign(), json!([])),
        (Draft::post("Echo", "{}").header("X-TC-Region", b"").sign(), json!(["x-tc-region"])),
        (
            Draft::post("Echo", "{}").header("X-TC-RequestClient", b"c").header("X-TC-Nonce", b"1").sign(),
            json!(["x-tc-nonce"]),
        ),
        (
            Draft { query: "Limit=1".to_owned(), ..Draft::post("Echo", "{}") }.sign(),
            json!(["the query of a POST"]),
        ),
        (Draft::get("Echo", "Text=a").sign().body(b"{}"), json!(["the body of a GET"])),
        (v1.clone(), json!(["Region"])),
        (v1.with("X-TC-Action", Some("Old")), json!(["x-tc-action", "Region"])),
    ] {
        assert_eq!(never_read(&gateway, sent).await, ("ok".to_owned(), expected));
    }
}
