//! Collections beside everything that can happen to a repository, in real tasks on several threads.
//!
//! The clock leaps, so a collection takes what was pushed a moment ago: the worst case of a slow client. A push may then be
//! told that its blobs are gone, but what got its 201 is whole, and stays until somebody deletes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::{Method, StatusCode};
use rookery_registry::{CollectOptions, Digest, RegistryId, Whose};
use serde_json::{Value, json};
use time::Duration;

use crate::kit::{IMAGE, INDEX, Kit, descriptor, digest_of, repository};

const ONE: &str = "library/one";
const TWO: &str = "library/two";
const ROUNDS: usize = 60;
const LEAPING: CollectOptions =
    CollectOptions { older_than: Duration::HOUR, untagged_manifests: true, dry_run: false };

/// Puts a manifest whose content may have been collected; says whether it is there now.
async fn put(kit: &Kit, name: &str, reference: &str, kind: &str, manifest: &Value) -> bool {
    let reply = kit.put(name, reference, kind, manifest).await;
    if reply.status == StatusCode::CREATED {
        return true;
    }
    reply.fails(404, "MANIFEST_BLOB_UNKNOWN");
    false
}

/// Pushes images that share their layers with everybody else's; gives the last that was taken.
async fn push(kit: &Kit, name: &str, tag: &str) -> Option<Digest> {
    let mut last = None;
    for round in 0..ROUNDS {
        let manifest = kit.image_manifest(name, &(round % 4).to_string()).await;
        if put(kit, name, tag, IMAGE, &manifest).await {
            last = Some(digest_of(&manifest));
        }
    }
    last
}

/// Mounts a layer, names it with the config that is pushed.
async fn mount(kit: &Kit) -> Option<Digest> {
    let mut last = None;
    for round in 0..ROUNDS {
        let (config, layer) = (format!("{{\"mounted\":{}}}", round % 3), format!("layer {}", round % 4));
        kit.blob(TWO, config.clone()).await;
        let digest = Digest::sha256(layer.as_bytes());
        let path = format!("/v2/{TWO}/blobs/uploads/?mount={digest}&from={ONE}");
        if kit.post(path).await.status != StatusCode::CREATED {
            continue;
        }
        let manifest = json!({
            "schemaVersion": 2, "mediaType": IMAGE,
            "config": descriptor("application/vnd.oci.image.config.v1+json", config.as_bytes()),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", layer.as_bytes())],
        });
        if put(kit, TWO, "mounted", IMAGE, &manifest).await {
            last = Some(digest_of(&manifest));
        }
    }
    last
}

/// Pushes children by digest, an index over them, and something that refers to the index.
async fn index(kit: &Kit) -> Option<(Digest, Digest)> {
    let mut last = None;
    for round in 0..ROUNDS {
        let child = kit.image_manifest(ONE, &format!("child {}", round % 3)).await;
        let index =
            json!({"schemaVersion": 2, "manifests": [descriptor(IMAGE, child.to_string().as_bytes())]});
        let referrer = json!({
            "schemaVersion": 2, "layers": [], "annotations": {"round": round.to_string()},
            "config": descriptor("application/x", b"{}"),
            "subject": {"mediaType": INDEX, "digest": digest_of(&index).as_str(), "size": 1},
        });
        kit.blob(ONE, "{}").await;
        if put(kit, ONE, digest_of(&child).as_str(), IMAGE, &child).await
            && put(kit, ONE, "index", INDEX, &index).await
            && put(kit, ONE, digest_of(&referrer).as_str(), IMAGE, &referrer).await
        {
            last = Some((digest_of(&index), digest_of(&referrer)));
        }
    }
    last
}

/// Pushes and deletes, tags and manifests and blobs by turns.
async fn delete(kit: &Kit) {
    for round in 0..ROUNDS {
        let manifest = kit.image_manifest(ONE, &format!("doomed {}", round % 2)).await;
        if put(kit, ONE, "doomed", IMAGE, &manifest).await {
            kit.delete(format!("/v2/{ONE}/manifests/doomed")).await.is(202);
            if round % 2 == 0 {
                let path = format!("/v2/{ONE}/manifests/{}", digest_of(&manifest));
                // It lost its tag, so a collection may have been faster.
                let reply = kit.delete(path).await;
                assert!(matches!(reply.status.as_u16(), 202 | 404), "{reply:?}");
            }
        }
        let blob = kit.blob(ONE, format!("lonely {}", round % 2)).await;
        let reply = kit.call(Method::DELETE, format!("/v2/{ONE}/blobs/{blob}")).send().await;
        assert!(matches!(reply.status.as_u16(), 202 | 404), "{reply:?}");
    }
}

/// Pulls whatever is tagged: what a manifest names is there as long as the manifest is.
async fn pull(kit: &Kit, done: &AtomicBool) -> usize {
    let mut pulled = 0;
    while !done.load(Ordering::Relaxed) {
        for name in [ONE, TWO] {
            for entry in kit.registry.tags(&repository(name), None, 10).expect("listed") {
                let digest = &entry.manifest.digest;
                for blob in entry.manifest.config.iter().chain(&entry.manifest.layers) {
                    let reply = kit.get(format!("/v2/{name}/blobs/{blob}")).await;
                    if reply.status == StatusCode::OK {
                        assert_eq!(Digest::sha256(&reply.body), *blob);
                        pulled += 1;
                    } else {
                        let still = kit.get(format!("/v2/{name}/manifests/{digest}")).await;
                        assert_eq!(
                            still.status,
                            StatusCode::NOT_FOUND,
                            "{blob} of {digest} is gone: {reply:?}"
                        );
                    }
                }
            }
        }
        tokio::task::yield_now().await;
    }
    pulled
}

async fn collect(kit: &Kit, done: &AtomicBool) -> usize {
    let mut jobs = 0;
    while !done.load(Ordering::Relaxed) {
        kit.world.advance(Duration::HOUR * 2);
        let whose = if jobs % 2 == 0 { Whose::All } else { Whose::Registry(RegistryId::new("tcr-demo")) };
        let job = kit.registry.start_collection(whose, LEAPING);
        if jobs % 5 == 0 {
            job.cancel();
        }
        job.ended().await;
        jobs += 1;
    }
    jobs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn collections_lose_nothing() {
    let kit = Arc::new(Kit::new());
    let (done, running) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(5)));
    macro_rules! race {
        ($kit:ident => $work:expr) => {{
            let ($kit, done, running) = (Arc::clone(&kit), Arc::clone(&done), Arc::clone(&running));
            tokio::spawn(async move {
                let outcome = $work.await;
                if running.fetch_sub(1, Ordering::Relaxed) == 1 {
                    done.store(true, Ordering::Relaxed);
                }
                outcome
            })
        }};
    }
    let collecting = tokio::spawn({
        let (kit, done) = (Arc::clone(&kit), Arc::clone(&done));
        async move { collect(&kit, &done).await }
    });
    let pulling = tokio::spawn({
        let (kit, done) = (Arc::clone(&kit), Arc::clone(&done));
        async move { pull(&kit, &done).await }
    });
    let first = race!(kit => push(&kit, ONE, "pushed"));
    let second = race!(kit => push(&kit, TWO, "pushed"));
    let mounted = race!(kit => mount(&kit));
    let indexed = race!(kit => index(&kit));
    let deleted = race!(kit => delete(&kit));
    deleted.await.expect("deleted");
    let (first, second) = (first.await.expect("pushed"), second.await.expect("pushed"));
    let (mounted, indexed) = (mounted.await.expect("mounted"), indexed.await.expect("indexed"));
    assert!(collecting.await.expect("collected") > 5);
    pulling.await.expect("pulled");

    // What was acknowledged last under each tag is there and whole.
    for (name, tag, digest) in [(ONE, "pushed", first), (TWO, "pushed", second), (TWO, "mounted", mounted)] {
        if let Some(digest) = digest {
            let reply = kit.get(format!("/v2/{name}/manifests/{tag}")).await.is(200);
            assert_eq!(reply.header("docker-content-digest"), digest.as_str(), "{name}:{tag}");
        }
    }
    if let Some((index, referrer)) = indexed {
        kit.get(format!("/v2/{ONE}/manifests/{index}")).await.is(200);
        let listed = kit.get(format!("/v2/{ONE}/referrers/{index}")).await.is(200).json();
        let listed = listed["manifests"].as_array().expect("a list");
        assert!(listed.iter().any(|entry| entry["digest"] == referrer.as_str()));
    }
    whole(&kit).await;
    // In peace, a push succeeds, and a collection of everything that has no tag leaves only what tags need.
    kit.image(ONE, "after", "0").await;
    kit.world.advance(Duration::DAY * 2);
    kit.registry.start_collection(Whose::All, LEAPING).ended().await;
    whole(&kit).await;
    let counted = kit.registry.registry_totals(&RegistryId::new("tcr-demo")).expect("counted");
    let kit = Arc::into_inner(kit).expect("alone").recounted().await;
    assert_eq!(kit.registry.registry_totals(&RegistryId::new("tcr-demo")).expect("counted"), counted);
}

/// Whatever is tagged can be pulled, and has the digest it is called by.
async fn whole(kit: &Kit) {
    for name in [ONE, TWO] {
        for entry in kit.registry.tags(&repository(name), None, 100).expect("listed") {
            for child in &entry.manifest.children {
                kit.get(format!("/v2/{name}/manifests/{child}")).await.is(200);
            }
            for blob in entry.manifest.config.iter().chain(&entry.manifest.layers) {
                let reply = kit.get(format!("/v2/{name}/blobs/{blob}")).await.is(200);
                assert_eq!(Digest::sha256(&reply.body), *blob);
            }
        }
    }
}
