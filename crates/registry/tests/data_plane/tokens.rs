//! Row 1 and the token service: challenges, scopes, and what a token is worth.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use rookery_registry::Digest;
use serde_json::{Value, json};
use time::Duration;

use crate::kit::{BANNED, Kit, basic};

const SERVICE: &str = r#"service="harbor-registry""#;

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}

#[tokio::test]
async fn without_a_login_there_is_a_challenge() {
    let kit = Kit::new();
    let reply = kit.call(Method::GET, "/v2/").anonymous().send().await.fails(401, "UNAUTHORIZED");
    let expected = format!(r#"Bearer realm="http://demo.test:5000/service/token",{SERVICE}"#);
    assert_eq!(reply.header("www-authenticate"), expected);
    let reply = kit
        .call(Method::GET, "/v2/")
        .anonymous()
        .by_tls()
        .header("host", "127.0.0.1:8443")
        .send()
        .await
        .is(401);
    let expected = format!(r#"Bearer realm="https://127.0.0.1:8443/service/token",{SERVICE}"#);
    assert_eq!(reply.header("www-authenticate"), expected);
    kit.call(Method::GET, "/v2/").header("host", "a\"b").send().await.fails(400, "UNSUPPORTED");
    kit.call(Method::GET, "/v2/").header("host", "").send().await.fails(400, "UNSUPPORTED");
}

#[tokio::test]
async fn challenges_name_what_is_missing() {
    let kit = Kit::new();
    let digest = Digest::sha256(b"");
    for (method, path, scope) in [
        (Method::GET, "/v2/library/app/tags/list".to_owned(), "pull"),
        (Method::HEAD, format!("/v2/library/app/blobs/{digest}"), "pull"),
        (Method::GET, format!("/v2/library/app/referrers/{digest}"), "pull"),
        (Method::POST, "/v2/library/app/blobs/uploads/".to_owned(), "pull,push"),
        (Method::PATCH, "/v2/library/app/blobs/uploads/x".to_owned(), "pull,push"),
        (Method::PUT, "/v2/library/app/manifests/v1".to_owned(), "pull,push"),
        (Method::DELETE, "/v2/library/app/manifests/v1".to_owned(), "delete"),
    ] {
        let reply = kit.call(method, &path).anonymous().send().await.is(401);
        let expected = format!(
            r#"Bearer realm="http://demo.test:5000/service/token",{SERVICE},scope="repository:library/app:{scope}""#
        );
        assert_eq!(reply.header("www-authenticate"), expected, "{path}");
    }
    let by_path =
        kit.call(Method::GET, "/v2/demo/library/app/tags/list").header("host", "localhost").anonymous();
    let challenge = by_path.send().await.is(401);
    assert!(challenge.header("www-authenticate").contains(r#"scope="repository:demo/library/app:pull""#));
}

#[tokio::test]
async fn a_token_opens_what_it_was_asked_for() {
    let kit = Kit::new();
    kit.image("library/app", "v1", "one").await;
    let token = kit.token("demo.test", Some("bob"), &["repository:library/app:pull,push"]).await;
    let said = claims(&token);
    assert_eq!(said["iss"], "harbor-token-issuer");
    assert_eq!(said["aud"], "harbor-registry");
    assert_eq!(said["sub"], "bob");
    assert_eq!(said["exp"].as_i64(), said["iat"].as_i64().map(|at| at + 1800));
    // Bob may only pull, and asking for more is no error.
    let access = json!([{"type": "repository", "name": "tcr-demo/library/app", "actions": ["pull"]}]);
    assert_eq!(said["access"], access);
    kit.call(Method::GET, "/v2/").bearer(&token).send().await.is(200);
    kit.call(Method::GET, "/v2/library/app/manifests/v1").bearer(&token).send().await.is(200);
    let push = kit.call(Method::POST, "/v2/library/app/blobs/uploads/").bearer(&token).send().await.is(401);
    let challenge = push.header("www-authenticate");
    assert!(
        challenge.ends_with(r#"scope="repository:library/app:pull,push",error="insufficient_scope""#),
        "{challenge}"
    );
    kit.call(Method::GET, "/v2/library/other/tags/list").bearer(&token).send().await.is(401);
}

#[tokio::test]
async fn a_token_reply_has_the_documented_form() {
    let kit = Kit::new();
    let reply = kit
        .get("/service/token?service=harbor-registry&account=alice&client_id=docker&offline_token=true")
        .await;
    let reply = reply.is(200).json();
    assert_eq!(reply["expires_in"], 1800);
    assert_eq!(reply["token"], reply["access_token"]);
    let issued = reply["issued_at"].as_str().expect("a time");
    assert!(issued.ends_with('Z') && issued.len() == 20, "{issued}");
}

#[tokio::test]
async fn scopes_repeat_and_may_be_malformed() {
    let kit = Kit::new();
    let scopes = [
        "repository:library/app:pull%20repository:library/app:push",
        "repository:library/two:*",
        "repository(plugin):library/three:pull",
        "repository:../../etc:pull",
        "repository:UPPER:pull",
        "nonsense",
        "repository:library",
        "registry:other:*",
    ];
    let token = kit.token("demo.test", Some("alice"), &scopes).await;
    let expected = json!([
        {"type": "repository", "name": "tcr-demo/library/app", "actions": ["pull", "push"]},
        {"type": "repository", "name": "tcr-demo/library/two", "actions": ["pull", "push", "delete"]},
        {"type": "repository", "name": "tcr-demo/library/three", "actions": ["pull"]},
    ]);
    assert_eq!(claims(&token)["access"], expected);
}

#[tokio::test]
async fn anonymous_tokens_hold_what_everybody_may() {
    let kit = Kit::new();
    kit.image("public/app", "v1", "one").await;
    // Even what is public is asked for with a token.
    kit.call(Method::GET, "/v2/public/app/manifests/v1").anonymous().send().await.is(401);
    let scopes = ["repository:public/app:pull,push", "repository:library/app:pull", "registry:catalog:*"];
    let token = kit.token("demo.test", None, &scopes).await;
    let said = claims(&token);
    assert_eq!(
        said["access"],
        json!([{"type": "repository", "name": "tcr-demo/public/app", "actions": ["pull"]}])
    );
    assert_eq!(said["sub"], "");
    kit.call(Method::GET, "/v2/public/app/manifests/v1").bearer(&token).send().await.is(200);
    kit.call(Method::GET, "/v2/library/app/tags/list").bearer(&token).send().await.is(401);
}

#[tokio::test]
async fn wrong_credentials_are_refused_everywhere() {
    let kit = Kit::new();
    let wrong = "Basic YWxpY2U6d3Jvbmc=";
    let reply = kit.call(Method::GET, "/service/token").header("authorization", wrong).send().await;
    assert_eq!(
        reply.fails(401, "UNAUTHORIZED").header("www-authenticate"),
        r#"Basic realm="harbor-registry""#
    );
    for value in [wrong, "Basic ???", "Digest x", "Basic"] {
        kit.call(Method::GET, "/v2/").header("authorization", value).send().await.fails(401, "UNAUTHORIZED");
    }
    for value in ["Basic ???", "Digest x"] {
        kit.call(Method::GET, "/service/token").header("authorization", value).send().await.is(401);
    }
    for value in ["Bearer", "Bearer x", "Bearer a.b.c"] {
        let reply = kit.call(Method::GET, "/v2/").header("authorization", value).send().await.is(401);
        assert!(value == "Bearer" || reply.header("www-authenticate").ends_with(r#",error="invalid_token""#));
    }
}

#[tokio::test]
async fn a_password_works_without_a_token() {
    let kit = Kit::new();
    kit.image("library/app", "v1", "one").await;
    kit.call(Method::GET, "/v2/library/app/manifests/v1").user("bob").send().await.is(200);
    kit.call(Method::POST, "/v2/library/app/blobs/uploads/").user("bob").send().await.fails(403, "DENIED");
    kit.call(Method::GET, "/v2/private/app/tags/list").user("carol").send().await.fails(403, "DENIED");
}

#[tokio::test]
async fn tokens_by_form() {
    let kit = Kit::new();
    let post = |form: &'static str| kit.call(Method::POST, "/service/token").anonymous().body(form).send();
    let form = "grant_type=password&service=harbor-registry&client_id=x&username=bob&password=secret\
                &scope=repository%3Alibrary%2Fapp%3Apull+repository%3Alibrary%2Ftwo%3Apush";
    let reply = post(form).await.is(200).json();
    let token = reply["access_token"].as_str().expect("a token");
    assert_eq!(
        claims(token)["access"],
        json!([{"type": "repository", "name": "tcr-demo/library/app", "actions": ["pull"]}])
    );
    post("grant_type=password&username=bob&password=wrong").await.fails(401, "UNAUTHORIZED");
    post("grant_type=refresh_token&refresh_token=x").await.fails(400, "UNSUPPORTED");
    post("grant_type=password&username=bob").await.fails(400, "UNSUPPORTED");
    post("grant_type=password&password=x").await.fails(400, "UNSUPPORTED");
    let large = kit.call(Method::POST, "/service/token").anonymous().body("x".repeat(70_000)).send().await;
    large.fails(400, "SIZE_INVALID");
    kit.call(Method::PUT, "/service/token").send().await.fails(405, "UNSUPPORTED");
    kit.get("/service/token?service=another").await.fails(400, "UNSUPPORTED");
}

#[tokio::test]
async fn a_token_ends() {
    let kit = Kit::new();
    let token = kit.token("demo.test", Some("alice"), &[]).await;
    let ping = || kit.call(Method::GET, "/v2/").bearer(&token).send();
    ping().await.is(200);
    kit.world.advance(Duration::seconds(1800 + 59));
    ping().await.is(200);
    kit.world.advance(Duration::seconds(1));
    assert!(ping().await.is(401).header("www-authenticate").contains("invalid_token"));
}

#[tokio::test]
async fn a_token_survives_a_restart_and_not_a_change() {
    let kit = Kit::new();
    let token = kit.token("demo.test", Some("alice"), &[]).await;
    let kit = kit.restarted();
    kit.call(Method::GET, "/v2/").bearer(&token).send().await.is(200);
    let stranger = Kit::new();
    stranger.call(Method::GET, "/v2/").bearer(&token).send().await.is(401);
    let mut parts: Vec<&str> = token.split('.').collect();
    let mut altered = claims(&token);
    altered["sub"] = json!("root");
    let altered = URL_SAFE_NO_PAD.encode(altered.to_string());
    parts[1] = &altered;
    kit.call(Method::GET, "/v2/").bearer(&parts.join(".")).send().await.is(401);
}

#[tokio::test]
async fn a_banned_address_gets_nowhere() {
    let kit = Kit::new();
    for path in ["/v2/", "/v2/_catalog", "/v2/library/app/tags/list", "/service/token"] {
        kit.call(Method::GET, path).coming_from(BANNED).send().await.fails(403, "DENIED");
    }
    let by_path = kit
        .call(Method::GET, "/service/token?scope=repository:demo/library/app:pull")
        .header("host", "localhost");
    let reply = by_path.coming_from(BANNED).send().await.is(200).json();
    assert_eq!(claims(reply["token"].as_str().expect("a token"))["access"], json!([]));
}

#[tokio::test]
async fn who_cannot_be_asked_is_an_internal_error_that_says_nothing() {
    let kit = Kit::new();
    *kit.product.broken.lock() = true;
    for (path, user) in [("/v2/", true), ("/v2/library/app/tags/list", true), ("/service/token", true)] {
        let call = kit.call(Method::GET, path);
        let reply = if user { call } else { call.anonymous() }.send().await.fails(500, "UNKNOWN");
        assert!(!String::from_utf8_lossy(&reply.body).contains("secret"));
    }
    assert!(basic("x").starts_with("Basic "));
}

#[tokio::test]
async fn a_token_opens_nothing_once_its_login_is_taken_back() {
    let kit = Kit::new();
    kit.image("library/app", "v1", "one").await;
    let scope = "repository:library/app:pull,push";
    let (alice, carol) = (
        kit.token("demo.test", Some("alice"), &[scope]).await,
        kit.token("demo.test", Some("carol"), &[scope]).await,
    );
    let pull = |token| kit.call(Method::GET, "/v2/library/app/manifests/v1").bearer(token).send();
    pull(&carol).await.is(200);
    *kit.product.gone.lock() = Some("carol".to_owned());
    let challenge = pull(&carol).await.is(401);
    assert!(challenge.header("www-authenticate").contains(r#"error="insufficient_scope""#));
    kit.call(Method::POST, "/v2/library/app/blobs/uploads/").bearer(&carol).send().await.is(401);
    pull(&alice).await.is(200);
    *kit.product.gone.lock() = None;
    pull(&carol).await.is(200);
}

#[tokio::test]
async fn pulls_are_told_and_looks_are_not() {
    let kit = Kit::new();
    let digest = kit.image("public/app", "v1", "one").await;
    kit.product.pulled.lock().clear();
    let tag = "/v2/public/app/manifests/v1";
    kit.call(Method::HEAD, tag).send().await.is(200);
    let etag = format!("\"{digest}\"");
    kit.call(Method::GET, tag).header("if-none-match", &etag).send().await.is(304);
    kit.get("/v2/public/app/manifests/none").await.is(404);
    assert_eq!(*kit.product.pulled.lock(), []);
    kit.call(Method::GET, tag).user("bob").send().await.is(200);
    let token = kit.token("demo.test", None, &["repository:public/app:pull"]).await;
    kit.call(Method::GET, format!("/v2/public/app/manifests/{digest}")).bearer(&token).send().await.is(200);
    let told = [("v1".to_owned(), Some("bob".to_owned())), (digest.to_string(), None)];
    assert_eq!(*kit.product.pulled.lock(), told);
}
