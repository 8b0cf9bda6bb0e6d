//! Past tags: seen, kept from the collector, restored, forgotten.

use http::Method;
use rookery_registry::{CollectOptions, Digest, Ended, Error, Origin, PastTag, Subject, Whose};
use serde_json::json;
use time::Duration;

use crate::kit::{IMAGE, Kit, digest_of, repository, tag};

const APP: &str = "library/app";
const ALL: CollectOptions =
    CollectOptions { older_than: Duration::HOUR, untagged_manifests: true, dry_run: false };

fn history(kit: &Kit) -> Vec<PastTag> {
    kit.registry.tag_history(&repository(APP), Some(&tag("v1")), 10).expect("listed")
}

fn alice() -> Origin {
    Origin::Client(Some(Subject::new("alice")))
}

async fn serves(kit: &Kit, digest: &Digest) {
    let reply = kit.get(format!("/v2/{APP}/manifests/v1")).await.is(200);
    assert_eq!(reply.header("docker-content-digest"), digest.as_str());
}

#[tokio::test]
async fn an_overwritten_tag_is_seen_and_restored() {
    let kit = Kit::new();
    let first = kit.image(APP, "v1", "one").await;
    let pushed_at = kit.registry.tags(&repository(APP), None, 1).expect("listed")[0].pushed_at;
    assert_eq!(history(&kit), Vec::new());
    kit.world.advance(Duration::HOUR);
    // The same again is no change.
    kit.image(APP, "v1", "one").await;
    let pushed_again = pushed_at + Duration::HOUR;
    kit.world.advance(Duration::HOUR);
    let second = kit.image(APP, "v1", "two").await;
    let expected = PastTag {
        tag: tag("v1"),
        digest: first.clone(),
        pushed_at: pushed_again,
        ended_at: pushed_again + Duration::HOUR,
        ended: Ended::Overwritten(second.clone()),
        by: Some("alice".to_owned()),
        restorable: true,
    };
    assert_eq!(history(&kit), vec![expected]);
    kit.world.advance(Duration::HOUR * 3);
    kit.registry.start_collection(Whose::All, ALL).ended().await;
    kit.product.accepted.lock().clear();
    let restored = kit.registry.restore_tag(&repository(APP), &tag("v1"), &first, alice()).await;
    assert_eq!(restored.expect("restored").digest, first);
    serves(&kit, &first).await;
    // It is a push like any other: the product is told, and what it replaced is history now.
    assert_eq!(kit.product.accepted.lock().len(), 1);
    assert_eq!(history(&kit)[0].ended, Ended::Overwritten(first.clone()));
    assert_eq!(history(&kit)[0].digest, second);
}

#[tokio::test]
async fn a_deleted_tag_is_restored_with_all_it_needs() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    kit.delete(format!("/v2/{APP}/manifests/v1")).await.is(202);
    kit.world.advance(Duration::HOUR * 23);
    kit.registry.start_collection(Whose::All, ALL).ended().await;
    assert_eq!(history(&kit)[0].ended, Ended::Deleted);
    kit.registry.restore_tag(&repository(APP), &tag("v1"), &digest, alice()).await.expect("restored");
    serves(&kit, &digest).await;
    kit.get(format!("/v2/{APP}/blobs/{}", Digest::sha256(b"layer one"))).await.is(200);
}

#[tokio::test]
async fn what_the_product_refuses_is_not_restored() {
    let kit = Kit::new();
    let first = kit.image(APP, "v1", "one").await;
    let second = kit.image(APP, "v1", "two").await;
    *kit.product.frozen.lock() = Some("v1".to_owned());
    let restored = kit.registry.restore_tag(&repository(APP), &tag("v1"), &first, alice()).await;
    assert!(matches!(restored, Err(Error::Refused(_))), "{restored:?}");
    serves(&kit, &second).await;
}

#[tokio::test]
async fn what_is_unknown_or_too_old_is_not_restored() {
    let kit = Kit::new();
    let first = kit.image(APP, "v1", "one").await;
    let elsewhere = kit.image(APP, "v2", "elsewhere").await;
    kit.image(APP, "v1", "two").await;
    let restore =
        async |digest: &Digest| kit.registry.restore_tag(&repository(APP), &tag("v1"), digest, alice()).await;
    assert!(matches!(restore(&elsewhere).await, Err(Error::ManifestUnknown(_))));
    kit.world.advance(Duration::DAY);
    assert_eq!(history(&kit), Vec::new());
    assert!(matches!(restore(&first).await, Err(Error::ManifestUnknown(_))));
    assert_eq!(kit.registry.forget_past_tags().await.expect("forgotten"), 1);
    assert_eq!(kit.registry.forget_past_tags().await.expect("forgotten"), 0);
}

#[tokio::test]
async fn a_manifest_that_is_deleted_is_gone_at_once() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    kit.delete(format!("/v2/{APP}/manifests/{digest}")).await.is(202);
    let past = history(&kit);
    assert_eq!((past[0].ended.clone(), past[0].restorable), (Ended::ManifestDeleted, false));
    let restored = kit.registry.restore_tag(&repository(APP), &tag("v1"), &digest, alice()).await;
    assert!(matches!(restored, Err(Error::ManifestUnknown(_))));
    // Whoever pushes it again can restore its tag again.
    let manifest = kit.image_manifest(APP, "one").await;
    kit.put(APP, digest_of(&manifest).as_str(), IMAGE, &manifest).await.is(201);
    assert!(history(&kit)[0].restorable);
}

#[tokio::test]
async fn histories_are_told_apart() {
    let kit = Kit::new();
    for (name, seed) in [("v1", "one"), ("v1", "two"), ("v10", "one"), ("v10", "two"), ("v1", "three")] {
        kit.image(APP, name, seed).await;
    }
    // In one moment of the pinned clock, so the order is all that tells them apart.
    assert_eq!(history(&kit).len(), 2);
    let of_all = kit.registry.tag_history(&repository(APP), None, 10).expect("listed");
    assert_eq!(of_all.len(), 3);
    assert_eq!(kit.registry.tag_history(&repository(APP), None, 1).expect("listed"), of_all[..1]);
    let path = format!("/v2/{APP}/manifests/v1");
    let body = json!({"schemaVersion": 2, "layers": []}).to_string();
    kit.call(Method::PUT, path).header("content-type", IMAGE).body(body).send().await.is(400);
    assert_eq!(history(&kit).len(), 2);
    kit.registry.delete_repository(&repository(APP), Origin::Internal).await.expect("deleted");
    assert_eq!(kit.registry.tag_history(&repository(APP), None, 10).expect("listed"), Vec::new());
}
