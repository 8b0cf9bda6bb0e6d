//! Row 9: deleting tags and manifests.

use http::Method;
use rookery_registry::{Deleted, Digest, Origin, Subject};

use crate::kit::{Kit, repository, tag};

const APP: &str = "library/app";

#[tokio::test]
async fn a_deleted_tag_leaves_its_manifest() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    kit.image(APP, "v2", "one").await;
    kit.delete(format!("/v2/{APP}/manifests/v1")).await.is(202);
    kit.head(format!("/v2/{APP}/manifests/v1")).await.is(404);
    kit.get(format!("/v2/{APP}/manifests/v1")).await.fails(404, "MANIFEST_UNKNOWN");
    kit.get(format!("/v2/{APP}/manifests/{digest}")).await.is(200);
    kit.get(format!("/v2/{APP}/manifests/v2")).await.is(200);
    kit.delete(format!("/v2/{APP}/manifests/v1")).await.fails(404, "MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn a_deleted_manifest_takes_its_tags() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    kit.image(APP, "v2", "one").await;
    kit.image(APP, "other", "two").await;
    kit.delete(format!("/v2/{APP}/manifests/{digest}")).await.is(202);
    for reference in ["v1", "v2", digest.as_str()] {
        kit.get(format!("/v2/{APP}/manifests/{reference}")).await.fails(404, "MANIFEST_UNKNOWN");
    }
    assert_eq!(kit.get(format!("/v2/{APP}/tags/list")).await.json()["tags"], serde_json::json!(["other"]));
    kit.delete(format!("/v2/{APP}/manifests/{digest}")).await.fails(404, "MANIFEST_UNKNOWN");
    kit.delete(format!("/v2/{APP}/manifests/{}", Digest::sha256(b"x"))).await.fails(404, "MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn the_same_manifest_elsewhere_stays() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    kit.image("library/copy", "v1", "one").await;
    kit.delete(format!("/v2/{APP}/manifests/{digest}")).await.is(202);
    kit.get(format!("/v2/library/copy/manifests/{digest}")).await.is(200);
    kit.get(format!("/v2/{APP}/manifests/{digest}")).await.fails(404, "MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn the_product_hears_of_it_and_may_refuse() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    kit.image(APP, "v2", "one").await;
    *kit.product.frozen.lock() = Some("v1".to_owned());
    kit.delete(format!("/v2/{APP}/manifests/v1")).await.fails(403, "DENIED");
    kit.delete(format!("/v2/{APP}/manifests/{digest}")).await.fails(403, "DENIED");
    kit.get(format!("/v2/{APP}/manifests/v1")).await.is(200);
    assert!(kit.product.deleted.lock().is_empty());
    *kit.product.frozen.lock() = None;
    kit.delete(format!("/v2/{APP}/manifests/v1")).await.is(202);
    kit.delete(format!("/v2/{APP}/manifests/{digest}")).await.is(202);
    let told = kit.product.deleted.lock().clone();
    assert!(told.iter().all(|deletion| deletion.repository == repository(APP)));
    assert_eq!(told[0].origin, Origin::Client(Some(Subject::new("alice"))));
    assert_eq!(told[0].target, Deleted::Tag { tag: tag("v1"), digest: digest.clone() });
    assert_eq!(told[1].target, Deleted::Manifest { digest, tags: vec![tag("v2")], subject: None });
}

#[tokio::test]
async fn pushing_is_not_deleting() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    for path in [
        format!("manifests/{digest}"),
        "manifests/v1".into(),
        format!("blobs/{}", Digest::sha256(b"layer one")),
    ] {
        let call = kit.call(Method::DELETE, format!("/v2/{APP}/{path}"));
        call.user("carol").send().await.fails(403, "DENIED");
        let token = kit.token("demo.test", Some("carol"), &["repository:library/app:pull,push,delete"]).await;
        let call = kit.call(Method::DELETE, format!("/v2/{APP}/{path}"));
        let reply = call.bearer(&token).send().await.fails(401, "UNAUTHORIZED");
        assert!(reply.header("www-authenticate").contains(r#"scope="repository:library/app:delete""#));
    }
    kit.get(format!("/v2/{APP}/manifests/v1")).await.is(200);
}
