//! By host or by the first path segment; and names that must not get anywhere.

use http::Method;
use rookery_registry::{Digest, serves};

use crate::kit::{IMAGE, Kit};

#[tokio::test]
async fn links_keep_the_form_in_which_the_client_asked() {
    let kit = Kit::new();
    let call = |method: Method, path: String| kit.call(method, path).header("host", "localhost:5000");
    let digest = Digest::sha256(b"{}");
    let start = call(Method::POST, "/v2/demo/library/app/blobs/uploads/".into()).send().await.is(202);
    let location = start.header("location").to_owned();
    assert!(location.starts_with("/v2/demo/library/app/blobs/uploads/"), "{location}");
    let put = call(Method::PUT, format!("{location}?digest={digest}")).body("{}").send().await.is(201);
    assert_eq!(put.header("location"), format!("/v2/demo/library/app/blobs/{digest}"));
    let manifest = kit.image_manifest("library/app", "one").await;
    let put = call(Method::PUT, "/v2/demo/library/app/manifests/v1".into()).header("content-type", IMAGE);
    let put = put.body(manifest.to_string()).send().await.is(201);
    assert!(put.header("location").starts_with("/v2/demo/library/app/manifests/sha256:"));
    let list = call(Method::GET, "/v2/demo/library/app/tags/list?n=1".into()).send().await.is(200);
    assert_eq!(list.json()["name"], "demo/library/app");
    // It is the same repository by host.
    assert_eq!(kit.get("/v2/library/app/tags/list").await.is(200).json()["name"], "library/app");
}

#[tokio::test]
async fn a_token_for_one_registry_is_worth_nothing_on_another() {
    let kit = Kit::new();
    kit.image("library/app", "v1", "one").await;
    let scope = ["repository:library/app:pull"];
    let (demo, other) = (
        kit.token("demo.test", Some("alice"), &scope).await,
        kit.token("other.test", Some("alice"), &scope).await,
    );
    let by_path = kit.token("localhost", Some("alice"), &["repository:demo/library/app:pull"]).await;
    let get = |token: &str, host: &str, path: &str| {
        kit.call(Method::GET, path).header("host", host).bearer(token).send()
    };
    for token in [&demo, &by_path] {
        get(token, "demo.test", "/v2/library/app/manifests/v1").await.is(200);
        get(token, "localhost", "/v2/demo/library/app/manifests/v1").await.is(200);
        get(token, "other.test", "/v2/library/app/tags/list").await.is(401);
        get(token, "localhost", "/v2/other/library/app/tags/list").await.is(401);
    }
    get(&other, "demo.test", "/v2/library/app/manifests/v1").await.is(401);
    get(&other, "localhost", "/v2/demo/library/app/manifests/v1").await.is(401);
}

#[tokio::test]
async fn logins_are_checked_in_the_registry_that_is_meant() {
    let kit = Kit::new();
    let token = |host: &'static str, scope: &'static str| {
        kit.call(Method::GET, format!("/service/token?scope={scope}"))
            .header("host", host)
            .user("robot")
            .send()
    };
    token("demo.test", "").await.is(200);
    token("other.test", "").await.is(401);
    token("localhost", "repository:demo/a/b:pull").await.is(200);
    token("localhost", "repository:other/a/b:pull").await.is(401);
    token("localhost", "repository:demo/a/b:pull&scope=repository:other/a/b:pull").await.is(401);
    token("localhost", "").await.is(401);
}

#[tokio::test]
async fn unknown_registries_and_paths() {
    let kit = Kit::new();
    for path in ["/v2/nobody/library/app/tags/list", "/v2/app/tags/list"] {
        kit.call(Method::GET, path).header("host", "localhost").send().await.fails(404, "NAME_UNKNOWN");
    }
    kit.get("/v2/library/app/unknown").await.fails(404, "NAME_UNKNOWN");
    kit.call(Method::GET, "/v2/_catalog").header("host", "localhost").send().await.fails(404, "NAME_UNKNOWN");
    kit.post("/v2/").await.fails(405, "UNSUPPORTED");
    let ping = kit.get("/v2/").await.is(200);
    assert_eq!(ping.body, "{}");
    kit.head("/v2").await.is(200);
}

#[tokio::test]
async fn nothing_outside_the_directory_is_touched() {
    let kit = Kit::new();
    let digest = Digest::sha256(b"x");
    for name in [
        "..",
        "../..",
        "%2e%2e/%2e%2e",
        "a/../../b",
        "a%2f..%2fb",
        "A",
        "a//b",
        "a/",
        "%00",
        "a b".replace(' ', "%20").as_str(),
    ] {
        for (method, rest) in [
            (Method::GET, "tags/list".to_owned()),
            (Method::PUT, "manifests/v1".to_owned()),
            (Method::POST, format!("blobs/uploads/?digest={digest}")),
            (Method::GET, format!("blobs/{digest}")),
        ] {
            let call = kit.call(method, format!("/v2/{name}/{rest}")).body("x");
            call.send().await.fails(400, "NAME_INVALID");
        }
    }
    for reference in ["..%2f..%2fetc%2fpasswd", "sha256:..%2f..%2fetc"] {
        let reply = kit.get(format!("/v2/library/app/blobs/{reference}")).await.is(400);
        assert!(["NAME_INVALID", "DIGEST_INVALID"].contains(&reply.code().as_str()));
    }
    let outside = std::fs::read_dir(kit.directory.path()).expect("a directory");
    let mut names: Vec<_> = outside.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["blobs", "uploads"]);
}

#[test]
fn the_paths_of_the_registry() {
    assert!(serves("/v2") && serves("/v2/") && serves("/v2/a") && serves("/service/token"));
    assert!(!serves("/") && !serves("/v2x") && !serves("/service/tokens") && !serves("/v1/"));
}
