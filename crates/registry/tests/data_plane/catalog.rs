//! `/v2/_catalog`: the repositories of the registry that the host names.

use http::Method;
use serde_json::json;

use crate::kit::Kit;

async fn filled() -> Kit {
    let kit = Kit::new();
    for name in ["public/a", "library/b", "private/c", "library/a"] {
        kit.image(name, "v1", "one").await;
    }
    kit
}

#[tokio::test]
async fn only_what_the_caller_may_pull_is_listed() {
    let kit = filled().await;
    let all = kit.get("/v2/_catalog").await.is(200);
    assert_eq!(all.json(), json!({"repositories": ["library/a", "library/b", "private/c", "public/a"]}));
    assert!(!all.headers.contains_key("link"));
    let some = kit.call(Method::GET, "/v2/_catalog").user("carol").send().await.is(200);
    assert_eq!(some.json(), json!({"repositories": ["library/a", "library/b", "public/a"]}));
    let other = kit.call(Method::GET, "/v2/_catalog").header("host", "other.test").send().await.is(200);
    assert_eq!(other.json(), json!({"repositories": []}));
}

#[tokio::test]
async fn pages_lead_to_each_other() {
    let kit = filled().await;
    let first = kit.call(Method::GET, "/v2/_catalog?n=2").user("carol").send().await.is(200);
    assert_eq!(first.json(), json!({"repositories": ["library/a", "library/b"]}));
    assert_eq!(first.header("link"), r#"</v2/_catalog?n=2&last=library/b>; rel="next""#);
    let last = kit.call(Method::GET, "/v2/_catalog?n=2&last=library/b").user("carol").send().await.is(200);
    assert_eq!(last.json(), json!({"repositories": ["public/a"]}));
    assert!(!last.headers.contains_key("link"));
    assert_eq!(kit.get("/v2/_catalog?n=0").await.is(200).json(), json!({"repositories": []}));
    kit.get("/v2/_catalog?n=x").await.fails(400, "UNSUPPORTED");
    kit.post("/v2/_catalog").await.fails(405, "UNSUPPORTED");
}

#[tokio::test]
async fn a_token_must_have_been_asked_for_it() {
    let kit = filled().await;
    let challenge = kit.call(Method::GET, "/v2/_catalog").anonymous().send().await.is(401);
    assert!(challenge.header("www-authenticate").ends_with(r#"scope="registry:catalog:*""#));
    let without = kit.token("demo.test", Some("carol"), &["repository:library/a:pull"]).await;
    let refused = kit.call(Method::GET, "/v2/_catalog").bearer(&without).send().await.is(401);
    assert!(
        refused
            .header("www-authenticate")
            .ends_with(r#"scope="registry:catalog:*",error="insufficient_scope""#)
    );
    let with = kit.token("demo.test", Some("carol"), &["registry:catalog:*"]).await;
    let listed = kit.call(Method::GET, "/v2/_catalog").bearer(&with).send().await.is(200);
    assert_eq!(listed.json(), json!({"repositories": ["library/a", "library/b", "public/a"]}));
    // It is a token of this registry only.
    kit.call(Method::GET, "/v2/_catalog").header("host", "other.test").bearer(&with).send().await.is(401);
}
