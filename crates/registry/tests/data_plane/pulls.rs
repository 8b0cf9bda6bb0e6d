//! What is kept in memory for pulls is never older than the last answer that somebody got.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use futures_util::FutureExt;
use futures_util::task::noop_waker;
use http::Method;
use rookery_registry::{Digest, Origin, Reference};
use serde_json::Value;
use tokio::task::coop::{consume_budget, has_budget_remaining};

use crate::kit::{IMAGE, Kit, digest_of, repository, tag};

const APP: &str = "library/app";

/// Pulls so often that whatever is kept in memory is.
async fn pull(kit: &Kit, reference: &str) -> Option<String> {
    let mut seen = None;
    for _ in 0..3 {
        let reply = kit.get(format!("/v2/{APP}/manifests/{reference}")).await;
        let digest = reply.header("docker-content-digest").to_owned();
        seen = (reply.status == 200).then(|| {
            assert_eq!(Digest::sha256(&reply.body).as_str(), digest);
            digest
        });
    }
    seen
}

#[tokio::test]
async fn the_next_pull_sees_a_tag_that_moved_and_one_that_is_gone() {
    let kit = Kit::new();
    for seed in ["one", "two", "three"] {
        let digest = kit.image(APP, "v1", seed).await;
        assert_eq!(pull(&kit, "v1").await, Some(digest.to_string()));
    }
    kit.delete(format!("/v2/{APP}/manifests/v1")).await.is(202);
    assert_eq!(pull(&kit, "v1").await, None);
    let digest = kit.image(APP, "v1", "two").await;
    assert_eq!(pull(&kit, "v1").await, Some(digest.to_string()));
    assert_eq!(pull(&kit, digest.as_str()).await, Some(digest.to_string()));
    kit.delete(format!("/v2/{APP}/manifests/{digest}")).await.is(202);
    assert_eq!(pull(&kit, "v1").await, None);
    assert_eq!(pull(&kit, digest.as_str()).await, None);
}

#[tokio::test]
async fn the_next_pull_sees_another_media_type_of_the_same_bytes() {
    let kit = Kit::new();
    let mut manifest = kit.image_manifest(APP, "one").await;
    manifest.as_object_mut().expect("an object").remove("mediaType");
    for media_type in [IMAGE, "application/vnd.docker.distribution.manifest.v2+json"] {
        kit.put(APP, "v1", media_type, &manifest).await.is(201);
        for _ in 0..2 {
            let reply = kit.get(format!("/v2/{APP}/manifests/v1")).await.is(200);
            assert_eq!(reply.header("content-type"), media_type);
        }
    }
}

#[tokio::test]
async fn the_next_request_sees_a_blob_and_a_repository_that_are_gone() {
    let kit = Kit::new();
    let blob = kit.blob(APP, "some bytes").await;
    let path = format!("/v2/{APP}/blobs/{blob}");
    for _ in 0..2 {
        assert_eq!(kit.head(&path).await.is(200).header("content-length"), "10");
    }
    kit.delete(&path).await.is(202);
    kit.head(&path).await.is(404);
    kit.get(&path).await.fails(404, "BLOB_UNKNOWN");
    kit.blob(APP, "some bytes").await;
    kit.head(&path).await.is(200);
    let digest = kit.image(APP, "v1", "one").await;
    assert!(pull(&kit, "v1").await.is_some());
    kit.registry.delete_repository(&repository(APP), Origin::Internal).await.expect("deleted");
    kit.head(&path).await.is(404);
    assert_eq!(pull(&kit, "v1").await, None);
    assert_eq!(pull(&kit, digest.as_str()).await, None);
}

#[tokio::test]
async fn what_is_in_memory_opens_no_door() {
    let kit = Kit::new();
    kit.image(APP, "v1", "one").await;
    assert!(pull(&kit, "v1").await.is_some());
    let path = format!("/v2/{APP}/manifests/v1");
    kit.call(Method::GET, &path).anonymous().send().await.is(401);
    kit.call(Method::GET, &path).bearer("no.token.atall").send().await.is(401);
    // Another repository's token; and the same name in another registry.
    let token = kit.token("demo.test", Some("alice"), &["repository:library/other:pull"]).await;
    kit.call(Method::GET, &path).bearer(&token).send().await.is(401);
    kit.call(Method::GET, &path).header("host", "other.test").send().await.fails(404, "MANIFEST_UNKNOWN");
    // The product is asked each time.
    *kit.product.broken.lock() = true;
    kit.get(&path).await.is(500);
    *kit.product.broken.lock() = false;
    kit.get(&path).await.is(200);
}

/// Images whose blobs are there and that differ in their manifests.
async fn images(kit: &Kit, count: usize) -> Vec<Value> {
    let mut images = Vec::new();
    for number in 0..count {
        images.push(kit.image_manifest(APP, &format!("image {number}")).await);
    }
    images
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_concurrent_pulls_each_push_and_deletion_is_seen_at_once() {
    let kit = Arc::new(Kit::new());
    let images = images(&kit, 4).await;
    let done = Arc::new(AtomicBool::new(false));
    let pulling = (0..3).map(|_| {
        let (kit, done) = (Arc::clone(&kit), Arc::clone(&done));
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                pull(&kit, "v1").await;
                tokio::task::yield_now().await;
            }
        })
    });
    let pulling: Vec<_> = pulling.collect();
    for round in 0..200 {
        let image = &images[round % images.len()];
        kit.put(APP, "v1", IMAGE, image).await.is(201);
        let path = format!("/v2/{APP}/manifests/v1");
        let reply = kit.get(&path).await.is(200);
        assert_eq!(reply.header("docker-content-digest"), digest_of(image).as_str(), "round {round}");
        if round % 3 == 0 {
            kit.delete(&path).await.is(202);
            kit.get(&path).await.is(404);
        }
    }
    done.store(true, Ordering::Relaxed);
    for task in pulling {
        task.await.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_push_whose_client_went_away_leaves_nothing_stale() {
    let kit = Kit::new();
    let images = images(&kit, 2).await;
    let mut abandoned = 0;
    for round in 0..100 {
        let image = &images[round % images.len()];
        pull(&kit, "v1").await;
        {
            // Begun, so queued, since it is out of reach of the runtime's budget, which may put off any first step; then nobody
            // waits for it any more.
            let bytes = image.to_string().into();
            let (repository, reference) = (repository(APP), Reference::Tag(tag("v1")));
            let push = kit.registry.put_manifest(&repository, &reference, IMAGE, bytes, Origin::Internal);
            let mut push = Box::pin(tokio::task::unconstrained(push));
            let waker = noop_waker();
            // A few are through that fast.
            abandoned += usize::from(push.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
        }
        pull(&kit, "v1").await;
        // Transactions run in order: when this one is through, so is the abandoned one.
        kit.delete(format!("/v2/{APP}/manifests/no-such-tag")).await.is(404);
        assert_eq!(pull(&kit, "v1").await.as_deref(), Some(digest_of(image).as_str()), "round {round}");
    }
    assert!(abandoned > 0);
}

#[tokio::test]
async fn a_push_that_was_dropped_before_its_transaction_was_queued_changes_nothing() {
    let kit = Kit::new();
    let images = images(&kit, 2).await;
    kit.put(APP, "v1", IMAGE, &images[0]).await.is(201);
    let before = pull(&kit, "v1").await;
    {
        let (repository, reference) = (repository(APP), Reference::Tag(tag("v1")));
        let bytes = images[1].to_string().into();
        let mut push =
            Box::pin(kit.registry.put_manifest(&repository, &reference, IMAGE, bytes, Origin::Internal));
        // The runtime puts off whatever would be next of a task that has done much at once: here, the queueing.
        while has_budget_remaining() {
            consume_budget().await;
        }
        assert!(push.poll_unpin(&mut Context::from_waker(&noop_waker())).is_pending());
    }
    kit.delete(format!("/v2/{APP}/manifests/no-such-tag")).await.is(404);
    assert_eq!(pull(&kit, "v1").await, before);
    // And what is pulled is remembered again, until the next push.
    kit.put(APP, "v1", IMAGE, &images[1]).await.is(201);
    assert_eq!(pull(&kit, "v1").await.as_deref(), Some(digest_of(&images[1]).as_str()));
}
