//! Login tokens: their form, their listing, and when they are good for something.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rookery_api::tcr::{
    CreateInstanceTokenRequest, CreateInstanceTokenResponse, DeleteInstanceTokenRequest,
    DescribeInstanceTokenRequest, ErrorCode, ModifyInstanceTokenRequest, TcrInstanceToken,
};
use serde_json::Value;
use time::Duration;

use super::{Bench, UIN, call, code};
use crate::actions::token::create_instance_token::create_instance_token;
use crate::actions::token::delete_instance_token::delete_instance_token;
use crate::actions::token::describe_instance_token::describe_instance_token;
use crate::actions::token::modify_instance_token::modify_instance_token;

pub(super) fn create(id: &str, kind: &str) -> CreateInstanceTokenRequest {
    CreateInstanceTokenRequest {
        registry_id: id.to_owned(),
        token_type: Some(kind.to_owned()),
        desc: Some("for ci".to_owned()),
    }
}

pub(super) async fn token(bench: &Bench, id: &str, kind: &str) -> CreateInstanceTokenResponse {
    create_instance_token(&bench.tcr, call(create(id, kind))).await.unwrap()
}

fn of(id: &str) -> DescribeInstanceTokenRequest {
    DescribeInstanceTokenRequest { registry_id: id.to_owned(), limit: None, offset: None }
}

async fn list(bench: &Bench, id: &str) -> Vec<TcrInstanceToken> {
    describe_instance_token(&bench.tcr, call(of(id))).await.unwrap().tokens
}

fn modify(id: &str, token: &str) -> ModifyInstanceTokenRequest {
    ModifyInstanceTokenRequest {
        registry_id: id.to_owned(),
        token_id: token.to_owned(),
        ..ModifyInstanceTokenRequest::default()
    }
}

fn part(token: &str, number: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_long_term_token_has_the_form_of_the_platforms() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let made = token(&bench, &id, "longterm").await;
    let now = bench.world.unix_seconds();
    assert_eq!(made.username, UIN.to_string());
    assert_eq!(made.exp_time / 1000, now + 10 * 365 * 24 * 3600);
    assert!(
        made.token_id.len() == 20
            && made.token_id.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'v').contains(&c))
    );
    let (header, claims) = (part(&made.token, 0), part(&made.token, 1));
    assert_eq!(header.as_object().unwrap().keys().collect::<Vec<_>>(), ["alg", "kid"]);
    assert_eq!(header["alg"], "RS256");
    let kid: Vec<_> = header["kid"].as_str().unwrap().split(':').map(str::len).collect();
    assert_eq!(kid, [4; 12]);
    let expected = serde_json::json!({
        "ownerUin": UIN.to_string(), "operatorUin": UIN.to_string(), "tokenId": made.token_id,
        "exp": now + 10 * 365 * 24 * 3600, "nbf": now, "iat": now,
    });
    assert_eq!(claims, expected);
    // One key an instance.
    let other = bench.instance("demo2", "basic").await;
    assert_eq!(part(&token(&bench, &id, "temp").await.token, 0), header);
    assert_ne!(part(&token(&bench, &other, "temp").await.token, 0), header);
}

#[tokio::test]
async fn a_temporary_token_lasts_an_hour_and_is_not_listed() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let default = CreateInstanceTokenRequest { token_type: None, desc: None, ..create(&id, "") };
    for request in [default, create(&id, "temp")] {
        let made = create_instance_token(&bench.tcr, call(request)).await.unwrap();
        assert_eq!((made.exp_time / 1000, &*made.token_id), (bench.world.unix_seconds() + 3600, ""));
        assert!(part(&made.token, 1).get("tokenId").is_none());
    }
    assert!(list(&bench, &id).await.is_empty());
}

#[tokio::test]
async fn long_term_tokens_are_listed_described_and_switched() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let first = token(&bench, &id, "longterm").await.token_id;
    bench.world.advance(Duration::seconds(1));
    let second = token(&bench, &id, "longterm").await.token_id;
    let listed = list(&bench, &id).await;
    assert_eq!(listed.iter().map(|token| &token.id).collect::<Vec<_>>(), [&first, &second]);
    assert_eq!((&*listed[0].desc, &*listed[0].created_at), ("for ci", "2024-12-10T22:04:56+08:00"));
    assert_eq!((listed[0].enabled, &listed[0].registry_id), (true, &id));
    assert_eq!(listed[0].expired_at, (bench.world.unix_seconds() - 1 + 10 * 365 * 24 * 3600) * 1000 + 806);

    let describe = ModifyInstanceTokenRequest {
        modify_flag: Some(1),
        desc: Some("new".to_owned()),
        ..modify(&id, &first)
    };
    modify_instance_token(&bench.tcr, call(describe)).await.unwrap();
    let switch = ModifyInstanceTokenRequest {
        enable: Some(false),
        desc: Some("not this".to_owned()),
        ..modify(&id, &first)
    };
    modify_instance_token(&bench.tcr, call(switch)).await.unwrap();
    let listed = list(&bench, &id).await;
    assert_eq!((&*listed[0].desc, listed[0].enabled), ("new", false));
    let page = DescribeInstanceTokenRequest { offset: Some(1), limit: Some(200), ..of(&id) };
    let page = describe_instance_token(&bench.tcr, call(page)).await.unwrap();
    assert_eq!((page.total_count, page.tokens.len(), &page.tokens[0].id), (2, 1, &second));
    let delete = DeleteInstanceTokenRequest { registry_id: id.clone(), token_id: first.clone() };
    delete_instance_token(&bench.tcr, call(delete.clone())).await.unwrap();
    assert_eq!(list(&bench, &id).await.len(), 1);
    assert_eq!(code(delete_instance_token(&bench.tcr, call(delete)).await), ErrorCode::InvalidParameter);
}

#[tokio::test]
async fn unusable_requests_are_refused() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let known = token(&bench, &id, "longterm").await.token_id;
    let long = CreateInstanceTokenRequest { desc: Some("x".repeat(256)), ..create(&id, "longterm") };
    let cases = [
        (create(&id, "forever"), ErrorCode::InvalidParameter),
        (long, ErrorCode::InvalidParameter),
        (create("tcr-missing1", "temp"), ErrorCode::ResourceNotFoundTcrResourceNotFound),
    ];
    for (request, expected) in cases {
        assert_eq!(code(create_instance_token(&bench.tcr, call(request)).await), expected);
    }
    let cases = [
        (
            ModifyInstanceTokenRequest { modify_flag: Some(3), ..modify(&id, &known) },
            ErrorCode::InvalidParameter,
        ),
        (
            ModifyInstanceTokenRequest { modify_flag: Some(1), ..modify(&id, &known) },
            ErrorCode::MissingParameter,
        ),
        (
            ModifyInstanceTokenRequest {
                modify_flag: Some(1),
                desc: Some("x".repeat(256)),
                ..modify(&id, &known)
            },
            ErrorCode::InvalidParameter,
        ),
        (modify(&id, &known), ErrorCode::MissingParameter),
        (
            ModifyInstanceTokenRequest { enable: Some(true), ..modify(&id, "missing") },
            ErrorCode::InvalidParameter,
        ),
        (
            ModifyInstanceTokenRequest { enable: Some(true), ..modify("tcr-missing1", &known) },
            ErrorCode::InvalidParameter,
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(code(modify_instance_token(&bench.tcr, call(request)).await), expected);
    }
    let missing = describe_instance_token(&bench.tcr, call(of("tcr-missing1"))).await;
    assert_eq!(code(missing), ErrorCode::InvalidParameter);
}
