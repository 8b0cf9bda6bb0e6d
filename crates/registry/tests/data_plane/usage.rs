//! What is held is counted exactly, and a quota can be kept by it.

use http::Method;
use rookery_registry::{Digest, Origin, Place, RegistryId, Totals, Unique};

use crate::kit::{IMAGE, Kit, digest_of, repository, tag};

const APP: &str = "library/app";

fn registry() -> RegistryId {
    RegistryId::new("tcr-demo")
}

fn totals(kit: &Kit, place: Place<'_>) -> Totals {
    kit.registry.totals(place).expect("counted")
}

#[tokio::test]
async fn every_change_is_counted() {
    let kit = Kit::new();
    let manifest = kit.image_manifest(APP, "one").await;
    let (config, layer, size) = (14, 9, manifest.to_string().len() as u64);
    let pushed = Totals { blobs: 2, bytes: config + layer, ..Totals::default() };
    assert_eq!(totals(&kit, Place::Repository(&repository(APP))), pushed);
    kit.put(APP, "v1", IMAGE, &manifest).await.is(201);
    kit.put(APP, "v1", IMAGE, &manifest).await.is(201);
    kit.put(APP, "v2", IMAGE, &manifest).await.is(201);
    let whole = Totals { repositories: 1, tags: 2, manifests: 1, blobs: 2, bytes: config + layer + size };
    for place in [Place::Repository(&repository(APP)), Place::Namespace(&registry(), "library")] {
        assert_eq!(totals(&kit, place), whole);
    }
    assert_eq!(kit.registry.count_tags(&repository(APP)).expect("counted"), 2);
    // Another namespace gets the same layer, by a mount.
    let mount = format!("/v2/other/app/blobs/uploads/?mount={}&from={APP}", Digest::sha256(b"layer one"));
    kit.post(&mount).await.is(201);
    kit.post(&mount).await.is(201);
    let all = totals(&kit, Place::Registry(&registry()));
    assert_eq!(all, Totals { blobs: 3, bytes: whole.bytes + layer, ..whole });
    let unique = kit.registry.registry_unique(&registry()).expect("counted");
    assert_eq!(unique, Unique { blobs: 2, bytes: config + layer });
    assert_eq!(totals(&kit, Place::Namespace(&registry(), "library")), whole);
    kit.delete(format!("/v2/{APP}/manifests/v2")).await.is(202);
    kit.delete(format!("/v2/{APP}/manifests/{}", digest_of(&manifest))).await.is(202);
    let empty = Totals { repositories: 1, ..pushed };
    assert_eq!(totals(&kit, Place::Repository(&repository(APP))), empty);
    kit.delete(format!("/v2/{APP}/blobs/{}", Digest::sha256(b"layer one"))).await.is(202);
    let unique = kit.registry.registry_unique(&registry()).expect("counted");
    assert_eq!(unique, Unique { blobs: 2, bytes: config + layer });
    let kit = kit.recounted().await;
    let counted = Totals { repositories: 1, blobs: 1, bytes: config, ..Totals::default() };
    assert_eq!(totals(&kit, Place::Repository(&repository(APP))), counted);
    kit.registry.remove_registry(&registry()).await.expect("removed");
    assert_eq!(totals(&kit, Place::Registry(&registry())), Totals::default());
    assert_eq!(kit.registry.registry_unique(&registry()).expect("counted"), Unique::default());
}

#[tokio::test]
async fn repositories_without_content_are_counted() {
    let kit = Kit::new();
    for _ in 0..2 {
        kit.registry.create_repository(&repository(APP)).await.expect("made");
    }
    assert_eq!(totals(&kit, Place::Registry(&registry())).repositories, 1);
    kit.registry.delete_repository(&repository(APP), Origin::Internal).await.expect("deleted");
    assert_eq!(totals(&kit, Place::Registry(&registry())), Totals::default());
}

#[tokio::test]
async fn a_quota_is_kept_to_the_byte() {
    let kit = Kit::new();
    let manifest = kit.image_manifest(APP, "one").await;
    let used = 23 + manifest.to_string().len() as u64;
    *kit.product.quota.lock() = Some(used - 1);
    let reply = kit.put(APP, "v1", IMAGE, &manifest).await.fails(403, "DENIED");
    let message = reply.json()["errors"][0]["message"].as_str().expect("text").to_owned();
    assert!(message.contains(&format!("the quota of {} bytes", used - 1)), "{message}");
    kit.get(format!("/v2/{APP}/manifests/v1")).await.is(404);
    *kit.product.quota.lock() = Some(used);
    kit.put(APP, "v1", IMAGE, &manifest).await.is(201);
    // What is there already adds nothing.
    kit.put(APP, "v2", IMAGE, &manifest).await.is(201);
    let blob = |content: &'static str| {
        let path = format!("/v2/{APP}/blobs/uploads/?digest={}", Digest::sha256(content.as_bytes()));
        kit.call(Method::POST, path).body(content)
    };
    blob("layer one").send().await.is(201);
    blob("more").send().await.fails(403, "DENIED");
    kit.get(format!("/v2/{APP}/blobs/{}", Digest::sha256(b"more"))).await.is(404);
    assert_eq!(totals(&kit, Place::Registry(&registry())).bytes, used);
    // A mount takes as much as a push.
    let path = format!("/v2/library/two/blobs/uploads/?mount={}&from={APP}", Digest::sha256(b"layer one"));
    kit.post(path).await.fails(403, "DENIED");
    // The product's own writing is never refused.
    let signature = kit.registry.put_blob(&repository(APP), "signature".into()).await.expect("written");
    assert_eq!(kit.registry.blob_size(&repository(APP), &signature).expect("read"), Some(9));
    assert!(
        kit.registry
            .tags(&repository(APP), None, 9)
            .expect("listed")
            .iter()
            .any(|entry| entry.tag == tag("v2"))
    );
}
