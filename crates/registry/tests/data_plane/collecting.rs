//! Giving space back while everything that is used stays.

use http::Method;
use rookery_registry::{
    CollectOptions, Collected, Deleted, Digest, Ending, Origin, Phase, RegistryId, Whose,
};
use serde_json::json;
use time::Duration;

use crate::kit::{IMAGE, INDEX, Kit, descriptor, digest_of, repository};

const APP: &str = "library/app";
const ALL: CollectOptions =
    CollectOptions { older_than: Duration::HOUR, untagged_manifests: true, dry_run: false };

async fn collect(kit: &Kit, options: CollectOptions) -> Collected {
    kit.registry.collect(&RegistryId::new("tcr-demo"), options).await.expect("collected")
}

fn file_of(kit: &Kit, digest: &Digest) -> std::path::PathBuf {
    kit.directory.path().join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex())
}

#[tokio::test]
async fn what_is_used_stays() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    let referrer = json!({
        "schemaVersion": 2, "config": descriptor("application/x", br#"{"seed":"one"}"#), "layers": [],
        "subject": {"mediaType": IMAGE, "digest": digest.as_str(), "size": 1},
    });
    kit.put(APP, digest_of(&referrer).as_str(), IMAGE, &referrer).await.is(201);
    kit.world.advance(Duration::DAY);
    assert_eq!(collect(&kit, ALL).await, Collected::default());
    kit.get(format!("/v2/{APP}/manifests/v1")).await.is(200);
    kit.get(format!("/v2/{APP}/manifests/{}", digest_of(&referrer))).await.is(200);
    kit.get(format!("/v2/{APP}/blobs/{}", Digest::sha256(b"layer one"))).await.is(200);
}

#[tokio::test]
async fn what_nothing_names_goes() {
    let kit = Kit::new();
    let digest = kit.blob(APP, "unused").await;
    kit.blob("library/shared", "shared").await;
    kit.image(APP, "v1", "one").await;
    let young = collect(&kit, ALL).await;
    assert_eq!(young, Collected::default());
    kit.world.advance(Duration::HOUR * 2);
    let expected = Collected { manifests: 0, links: 2, blobs: 2, bytes: 12, files: 0 };
    let dry = collect(&kit, CollectOptions { dry_run: true, ..ALL }).await;
    assert_eq!(dry, Collected { links: 2, ..Collected::default() });
    assert_eq!(collect(&kit, ALL).await, expected);
    assert!(!file_of(&kit, &digest).exists());
    kit.get(format!("/v2/{APP}/blobs/{digest}")).await.fails(404, "BLOB_UNKNOWN");
    // And comes back with a push.
    kit.blob(APP, "unused").await;
    kit.get(format!("/v2/{APP}/blobs/{digest}")).await.is(200);
}

#[tokio::test]
async fn untagged_manifests_go_with_what_they_kept() {
    let kit = Kit::new();
    let child = kit.image_manifest(APP, "child").await;
    kit.put(APP, digest_of(&child).as_str(), IMAGE, &child).await.is(201);
    let index = json!({"schemaVersion": 2, "manifests": [descriptor(IMAGE, child.to_string().as_bytes())]});
    kit.put(APP, "multi", INDEX, &index).await.is(201);
    let referrer = json!({
        "schemaVersion": 2, "config": descriptor("application/x", br#"{"seed":"child"}"#), "layers": [],
        "subject": {"mediaType": INDEX, "digest": digest_of(&index).as_str(), "size": 1},
    });
    kit.put(APP, digest_of(&referrer).as_str(), IMAGE, &referrer).await.is(201);
    kit.world.advance(Duration::DAY);
    assert_eq!(collect(&kit, ALL).await, Collected::default());
    kit.delete(format!("/v2/{APP}/manifests/multi")).await.is(202);
    kit.product.deleted.lock().clear();
    assert_eq!(
        collect(&kit, CollectOptions { untagged_manifests: false, ..ALL }).await,
        Collected::default()
    );
    // The tag can still be restored.
    assert_eq!(collect(&kit, ALL).await, Collected::default());
    kit.world.advance(Duration::DAY);
    let collected = collect(&kit, ALL).await;
    assert_eq!((collected.manifests, collected.links, collected.blobs), (3, 2, 2));
    kit.get(format!("/v2/{APP}/manifests/{}", digest_of(&child))).await.fails(404, "MANIFEST_UNKNOWN");
    let told = kit.product.deleted.lock().clone();
    assert_eq!(told.len(), 3);
    assert!(
        told.iter()
            .all(|deletion| deletion.origin == Origin::Internal && deletion.repository == repository(APP))
    );
    assert!(
        told.iter().any(|deletion| matches!(&deletion.target, Deleted::Manifest { subject: Some(_), .. }))
    );
}

#[tokio::test]
async fn what_the_product_holds_on_to_stays() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    kit.delete(format!("/v2/{APP}/manifests/v1")).await.is(202);
    kit.blob(APP, "unused").await;
    kit.world.advance(Duration::DAY);
    *kit.product.frozen.lock() = Some("*".to_owned());
    assert_eq!(collect(&kit, ALL).await, Collected { manifests: 0, links: 1, blobs: 1, bytes: 6, files: 0 });
    kit.get(format!("/v2/{APP}/manifests/{digest}")).await.is(200);
}

#[tokio::test]
async fn a_client_that_was_told_it_is_there_can_name_it() {
    let kit = Kit::new();
    let manifest = kit.image_manifest(APP, "one").await;
    kit.world.advance(Duration::DAY);
    for blob in [&manifest["config"], &manifest["layers"][0]] {
        kit.head(format!("/v2/{APP}/blobs/{}", blob["digest"].as_str().expect("a digest"))).await.is(200);
    }
    assert_eq!(collect(&kit, ALL).await, Collected::default());
    kit.put(APP, "v1", IMAGE, &manifest).await.is(201);
}

#[tokio::test]
async fn a_blob_stays_while_any_registry_holds_it() {
    let kit = Kit::new();
    let digest = kit.blob(APP, "shared").await;
    let elsewhere = format!("/v2/{APP}/blobs/uploads/?digest={digest}");
    kit.call(Method::POST, elsewhere).header("host", "other.test").body("shared").send().await.is(201);
    kit.world.advance(Duration::DAY);
    assert_eq!(collect(&kit, ALL).await, Collected { links: 1, ..Collected::default() });
    assert!(file_of(&kit, &digest).exists());
    let other = RegistryId::new("tcr-other");
    let collected = kit.registry.collect(&other, ALL).await.expect("collected");
    assert_eq!(collected, Collected { manifests: 0, links: 1, blobs: 1, bytes: 6, files: 0 });
    assert!(!file_of(&kit, &digest).exists());
}

#[tokio::test]
async fn an_index_can_name_what_its_client_was_told_is_there() {
    let kit = Kit::new();
    let child = kit.image_manifest(APP, "child").await;
    kit.put(APP, digest_of(&child).as_str(), IMAGE, &child).await.is(201);
    kit.world.advance(Duration::DAY);
    kit.head(format!("/v2/{APP}/manifests/{}", digest_of(&child))).await.is(200);
    assert_eq!(collect(&kit, ALL).await, Collected::default());
    let index = json!({"schemaVersion": 2, "manifests": [descriptor(IMAGE, child.to_string().as_bytes())]});
    kit.put(APP, "multi", INDEX, &index).await.is(201);
    kit.world.advance(Duration::DAY);
    assert_eq!(collect(&kit, ALL).await, Collected::default());
}

#[tokio::test]
async fn a_collection_is_a_job() {
    let kit = Kit::new();
    for number in 0..5 {
        kit.blob(APP, format!("unused {number}")).await;
        let elsewhere = format!("/v2/{APP}/blobs/uploads/?digest={}", Digest::sha256(b"other"));
        kit.call(Method::POST, elsewhere).header("host", "other.test").body("other").send().await.is(201);
    }
    kit.world.advance(Duration::DAY);
    let job = kit.registry.start_collection(Whose::Registry(RegistryId::new("tcr-demo")), ALL);
    let (ending, collected) = job.ended().await;
    assert_eq!((ending, collected.links, collected.blobs, collected.bytes), (Ending::Finished, 5, 5, 40));
    let state = job.state();
    assert_eq!(
        (state.phase, state.collected, state.ending),
        (Phase::Ended, collected, Some(Ending::Finished))
    );
    // Five links, six blobs of which one is of another registry, and its file.
    assert_eq!(state.examined, 5 + 6 + 1);
    let all = kit.registry.start_collection(Whose::All, ALL);
    assert_eq!(all.ended().await.1, Collected { links: 1, blobs: 1, bytes: 5, ..Collected::default() });
}

#[tokio::test]
async fn a_cancelled_collection_takes_nothing_more() {
    let kit = Kit::new();
    let digest = kit.blob(APP, "unused").await;
    kit.world.advance(Duration::DAY);
    let job = kit.registry.start_collection(Whose::All, ALL);
    job.cancel();
    assert_eq!(job.ended().await, (Ending::Cancelled, Collected::default()));
    kit.get(format!("/v2/{APP}/blobs/{digest}")).await.is(200);
    // The next one is not held up.
    assert_eq!(kit.registry.start_collection(Whose::All, ALL).ended().await.0, Ending::Finished);
}

#[tokio::test]
async fn a_failed_collection_says_so() {
    let kit = Kit::new();
    kit.blob(APP, "unused").await;
    kit.world.advance(Duration::DAY);
    std::fs::remove_dir_all(kit.directory.path().join("blobs/sha512")).expect("removed");
    let (ending, collected) = kit.registry.start_collection(Whose::All, ALL).ended().await;
    assert_eq!(ending, Ending::Failed("listing blobs failed".to_owned()));
    assert_eq!((collected.links, collected.blobs), (1, 1));
}
