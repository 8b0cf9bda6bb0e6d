//! Rows 4 to 6, 11, 13 and 14: every way of pushing a blob, and of failing to.

use http::Method;
use rookery_registry::{Algorithm, Digest};

use crate::kit::{Kit, Reply};

const UPLOADS: &str = "/v2/library/app/blobs/uploads/";

async fn start(kit: &Kit) -> String {
    let reply = kit.post(UPLOADS).await.is(202);
    assert_eq!(reply.header("range"), "0-0");
    assert_eq!(reply.header("content-length"), "0");
    let location = reply.header("location").to_owned();
    assert_eq!(location, format!("{UPLOADS}{}", reply.header("docker-upload-uuid")));
    location
}

async fn patch(kit: &Kit, location: &str, range: Option<&str>, body: &str) -> Reply {
    let call = kit.call(Method::PATCH, location).body(body.to_owned());
    match range {
        Some(range) => call.header("content-range", range).send().await,
        None => call.send().await,
    }
}

async fn put(kit: &Kit, location: &str, digest: &Digest, body: &str) -> Reply {
    kit.call(Method::PUT, format!("{location}?digest={digest}")).body(body.to_owned()).send().await
}

fn assert_created(reply: &Reply, digest: &Digest) {
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.header("location"), format!("/v2/library/app/blobs/{digest}"));
    assert_eq!(reply.header("docker-content-digest"), digest.as_str());
}

async fn assert_pullable(kit: &Kit, digest: &Digest, content: &str) {
    let reply = kit.get(format!("/v2/library/app/blobs/{digest}")).await.is(200);
    assert_eq!(reply.body, content.as_bytes());
}

async fn assert_absent(kit: &Kit, digest: &Digest) {
    kit.head(format!("/v2/library/app/blobs/{digest}")).await.is(404);
}

/// No upload is left over on the disk.
fn assert_nothing_under_way(kit: &Kit) {
    let uploads = kit.directory.path().join("uploads");
    assert_eq!(std::fs::read_dir(uploads).expect("a directory").count(), 0);
}

#[tokio::test]
async fn a_blob_in_one_post() {
    let kit = Kit::new();
    let digest = Digest::sha256(b"one");
    let path = format!("{UPLOADS}?digest={digest}");
    assert_created(&kit.call(Method::POST, path).body("one").send().await, &digest);
    assert_pullable(&kit, &digest, "one").await;
    assert_nothing_under_way(&kit);
}

#[tokio::test]
async fn a_post_without_the_last_slash_is_the_same() {
    let kit = Kit::new();
    kit.post("/v2/library/app/blobs/uploads").await.is(202);
}

#[tokio::test]
async fn a_blob_by_post_and_put() {
    let kit = Kit::new();
    let location = start(&kit).await;
    let digest = Digest::sha256(b"put");
    assert_created(&put(&kit, &location, &digest, "put").await, &digest);
    assert_pullable(&kit, &digest, "put").await;
    kit.get(&location).await.fails(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn a_blob_as_a_stream() {
    let kit = Kit::new();
    let location = start(&kit).await;
    let reply = patch(&kit, &location, None, "str").await.is(202);
    assert_eq!(reply.header("range"), "0-2");
    assert_eq!(reply.header("location"), location);
    patch(&kit, &location, None, "eam").await.is(202);
    let digest = Digest::sha256(b"stream");
    assert_created(&put(&kit, &location, &digest, "").await, &digest);
    assert_pullable(&kit, &digest, "stream").await;
}

#[tokio::test]
async fn a_blob_in_chunks() {
    let kit = Kit::new();
    let location = start(&kit).await;
    assert_eq!(patch(&kit, &location, Some("0-2"), "abc").await.is(202).header("range"), "0-2");
    assert_eq!(patch(&kit, &location, Some("3-5"), "def").await.is(202).header("range"), "0-5");
    let digest = Digest::sha256(b"abcdefgh");
    let last = kit.call(Method::PUT, format!("{location}?digest={digest}")).header("content-range", "6-7");
    assert_created(&last.body("gh").send().await, &digest);
    assert_pullable(&kit, &digest, "abcdefgh").await;
}

#[tokio::test]
async fn chunks_out_of_order_are_refused_and_write_nothing() {
    let kit = Kit::new();
    let location = start(&kit).await;
    let reply = patch(&kit, &location, Some("3-5"), "def").await.fails(416, "BLOB_UPLOAD_INVALID");
    assert_eq!(reply.header("range"), "0-0");
    assert_eq!(kit.get(&location).await.is(204).header("range"), "0-0");
    patch(&kit, &location, Some("0-2"), "abc").await.is(202);
    // The same chunk again, as a client with an old Location sends it.
    patch(&kit, &location, Some("0-2"), "abc").await.fails(416, "BLOB_UPLOAD_INVALID");
    let status = kit.get(&location).await.is(204);
    assert_eq!((status.header("range"), status.header("location")), ("0-2", location.as_str()));
    assert_eq!(status.header("docker-upload-uuid").len(), 36);
    let digest = Digest::sha256(b"abcdef");
    let put = |range: &'static str| {
        kit.call(Method::PUT, format!("{location}?digest={digest}"))
            .header("content-range", range)
            .body("def")
    };
    put("4-6").send().await.fails(416, "BLOB_UPLOAD_INVALID");
    assert_eq!(kit.get(&location).await.is(204).header("range"), "0-2");
    put("3-5").send().await.is(201);
    assert_pullable(&kit, &digest, "abcdef").await;
}

#[tokio::test]
async fn malformed_chunks_are_refused() {
    let kit = Kit::new();
    let location = start(&kit).await;
    for range in ["bytes 0-2", "0", "2-0", "a-b", "0-2/3"] {
        patch(&kit, &location, Some(range), "abc").await.fails(400, "BLOB_UPLOAD_INVALID");
    }
    for (range, body) in [("0-5", "abc"), ("0-1", "abc"), ("0-0", "")] {
        patch(&kit, &location, Some(range), body).await.fails(400, "SIZE_INVALID");
    }
    let announced = kit.call(Method::PATCH, &location).header("content-range", "0-5");
    announced.header("content-length", "3").body("abc").send().await.fails(400, "SIZE_INVALID");
    assert_eq!(kit.get(&location).await.is(204).header("range"), "0-0");
    let digest = Digest::sha256(b"after");
    put(&kit, &location, &digest, "after").await.is(201);
    assert_pullable(&kit, &digest, "after").await;
}

#[tokio::test]
async fn a_wrong_digest_is_refused_on_all_five_ways() {
    let kit = Kit::new();
    let wrong = Digest::sha256(b"expected");
    let single = kit.call(Method::POST, format!("{UPLOADS}?digest={wrong}")).body("sent").send().await;
    single.fails(400, "DIGEST_INVALID");
    let with_body = start(&kit).await;
    put(&kit, &with_body, &wrong, "sent").await.fails(400, "DIGEST_INVALID");
    let chunked = start(&kit).await;
    patch(&kit, &chunked, Some("0-3"), "sent").await.is(202);
    put(&kit, &chunked, &wrong, "").await.fails(400, "DIGEST_INVALID");
    let last_chunk = start(&kit).await;
    patch(&kit, &last_chunk, Some("0-1"), "se").await.is(202);
    let last = kit.call(Method::PUT, format!("{last_chunk}?digest={wrong}")).header("content-range", "2-3");
    last.body("nt").send().await.fails(400, "DIGEST_INVALID");
    let stream = start(&kit).await;
    patch(&kit, &stream, None, "sent").await.is(202);
    let reply = put(&kit, &stream, &wrong, "").await.fails(400, "DIGEST_INVALID");
    assert_eq!(reply.json()["errors"][0]["detail"]["actual"], Digest::sha256(b"sent").as_str());
    assert_absent(&kit, &wrong).await;
    assert_absent(&kit, &Digest::sha256(b"sent")).await;
    for location in [with_body, chunked, last_chunk, stream] {
        kit.get(location).await.fails(404, "BLOB_UPLOAD_UNKNOWN");
    }
    assert_nothing_under_way(&kit);
}

#[tokio::test]
async fn missing_malformed_and_foreign_digests_are_refused() {
    let kit = Kit::new();
    let location = start(&kit).await;
    kit.call(Method::PUT, &location).send().await.fails(400, "DIGEST_INVALID");
    for digest in ["sha256:baddigeststring", "md5:d41d8cd98f00b204e9800998ecf8427e", "", "../../etc"] {
        kit.call(Method::PUT, format!("{location}?digest={digest}"))
            .send()
            .await
            .fails(400, "DIGEST_INVALID");
        kit.post(format!("{UPLOADS}?digest={digest}")).await.fails(400, "DIGEST_INVALID");
        kit.post(format!("{UPLOADS}?mount={digest}")).await.fails(400, "DIGEST_INVALID");
    }
    kit.post(format!("{UPLOADS}?digest-algorithm=md5")).await.fails(400, "DIGEST_INVALID");
    kit.get(&location).await.is(204);
}

#[tokio::test]
async fn sha512_announced_and_unannounced() {
    let kit = Kit::new();
    let digest = Digest::of(Algorithm::Sha512, b"long");
    let unannounced = start(&kit).await;
    patch(&kit, &unannounced, None, "lo").await.is(202);
    assert_created(&put(&kit, &unannounced, &digest, "ng").await, &digest);
    assert_pullable(&kit, &digest, "long").await;
    let other = Digest::of(Algorithm::Sha512, b"other");
    let announced =
        kit.post(format!("{UPLOADS}?digest-algorithm=sha512")).await.is(202).header("location").to_owned();
    patch(&kit, &announced, None, "other").await.is(202);
    assert_created(&put(&kit, &announced, &other, "").await, &other);
    // Announced so, asked for otherwise.
    let changed =
        kit.post(format!("{UPLOADS}?digest-algorithm=sha512")).await.is(202).header("location").to_owned();
    let third = Digest::sha256(b"third");
    assert_created(&put(&kit, &changed, &third, "third").await, &third);
    let wrong = start(&kit).await;
    put(&kit, &wrong, &digest, "wrong").await.fails(400, "DIGEST_INVALID");
}

#[tokio::test]
async fn an_empty_blob() {
    let kit = Kit::new();
    let digest = Digest::sha256(b"");
    let location = start(&kit).await;
    assert_created(&put(&kit, &location, &digest, "").await, &digest);
    let reply = kit.get(format!("/v2/library/app/blobs/{digest}")).await.is(200);
    assert_eq!((reply.header("content-length"), reply.body.len()), ("0", 0));
    let single = kit.call(Method::POST, format!("{UPLOADS}?digest={digest}")).send().await;
    assert_created(&single, &digest);
}

#[tokio::test]
async fn the_same_blob_again() {
    let kit = Kit::new();
    for _ in 0..3 {
        kit.blob("library/app", "{}").await;
        kit.blob("library/copy", "{}").await;
        kit.world.advance(time::Duration::minutes(5));
    }
    assert_nothing_under_way(&kit);
}

#[tokio::test]
async fn a_session_belongs_to_its_repository() {
    let kit = Kit::new();
    let location = start(&kit).await;
    let uuid = location.rsplit('/').next().expect("a uuid");
    let elsewhere = format!("/v2/library/other/blobs/uploads/{uuid}");
    kit.get(&elsewhere).await.fails(404, "BLOB_UPLOAD_UNKNOWN");
    kit.delete(&elsewhere).await.fails(404, "BLOB_UPLOAD_UNKNOWN");
    kit.call(Method::GET, &location)
        .header("host", "other.test")
        .send()
        .await
        .fails(404, "BLOB_UPLOAD_UNKNOWN");
    kit.get(&location).await.is(204);
}

#[tokio::test]
async fn unknown_sessions_are_said_to_be_unknown() {
    let kit = Kit::new();
    let digest = Digest::sha256(b"");
    for id in ["00000000-0000-4000-8000-000000000000", "x", "..%2f..%2fetc", "%2e%2e"] {
        let location = format!("{UPLOADS}{id}");
        let replies = [
            kit.get(&location).await,
            patch(&kit, &location, None, "x").await,
            put(&kit, &location, &digest, "").await,
            kit.delete(&location).await,
        ];
        for reply in replies {
            let code = reply.code();
            assert!(
                (reply.status == 404 && code == "BLOB_UPLOAD_UNKNOWN")
                    || (reply.status == 400 && code == "NAME_INVALID"),
                "{id}: {reply:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_session_can_be_cancelled() {
    let kit = Kit::new();
    let location = start(&kit).await;
    patch(&kit, &location, None, "x").await.is(202);
    kit.delete(&location).await.is(204);
    for reply in [
        kit.get(&location).await,
        kit.delete(&location).await,
        patch(&kit, &location, None, "x").await,
        put(&kit, &location, &Digest::sha256(b"x"), "").await,
    ] {
        reply.fails(404, "BLOB_UPLOAD_UNKNOWN");
    }
    assert_nothing_under_way(&kit);
}

#[tokio::test]
async fn a_state_in_the_location_is_only_a_hint() {
    let kit = Kit::new();
    let location = start(&kit).await;
    patch(&kit, &format!("{location}?_state=anything"), None, "x").await.is(202);
    assert_eq!(kit.get(format!("{location}?_state=older")).await.is(204).header("range"), "0-0");
}

#[tokio::test]
async fn a_mount_from_a_named_repository() {
    let kit = Kit::new();
    let digest = kit.blob("library/source", "layer").await;
    let reply = kit.post(format!("{UPLOADS}?mount={digest}&from=library/source")).await;
    assert_created(&reply, &digest);
    assert_pullable(&kit, &digest, "layer").await;
}

#[tokio::test]
async fn a_mount_of_what_is_not_there_becomes_an_upload() {
    let kit = Kit::new();
    let digest = kit.blob("library/source", "layer").await;
    for query in [
        format!("mount={digest}&from=library/elsewhere"),
        format!("mount={}&from=library/source", Digest::sha256(b"unknown")),
        format!("mount={}", Digest::sha256(b"unknown")),
    ] {
        let reply = kit.post(format!("{UPLOADS}?{query}")).await.is(202);
        assert!(reply.header("location").starts_with(UPLOADS));
        assert_absent(&kit, &digest).await;
    }
    kit.post(format!("{UPLOADS}?mount={digest}&from=../etc")).await.fails(400, "NAME_INVALID");
}

#[tokio::test]
async fn a_mount_without_a_source_finds_what_the_caller_may_read() {
    let kit = Kit::new();
    let digest = kit.blob("private/source", "layer").await;
    let mount = format!("{UPLOADS}?mount={digest}");
    // Carol pushes to library, but may not read private.
    kit.call(Method::POST, &mount).user("carol").send().await.is(202);
    assert_absent(&kit, &digest).await;
    assert_created(&kit.post(&mount).await, &digest);
}

#[tokio::test]
async fn a_mount_needs_the_right_to_read_the_source() {
    let kit = Kit::new();
    let digest = kit.blob("private/source", "layer").await;
    let mount = format!("{UPLOADS}?mount={digest}&from=private/source");
    kit.call(Method::POST, &mount).user("carol").send().await.is(202);
    assert_absent(&kit, &digest).await;
    // By token: what alice's token says, or what alice may read now.
    let token = kit.token("demo.test", Some("alice"), &["repository:library/app:pull,push"]).await;
    assert_created(&kit.call(Method::POST, &mount).bearer(&token).send().await, &digest);
}

#[tokio::test]
async fn a_mount_does_not_cross_registries_unasked() {
    let kit = Kit::new();
    let path = format!("/v2/library/source/blobs/uploads/?digest={}", Digest::sha256(b"layer"));
    kit.call(Method::POST, path).header("host", "other.test").body("layer").send().await.is(201);
    kit.post(format!("{UPLOADS}?mount={}", Digest::sha256(b"layer"))).await.is(202);
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let kit = Kit::new();
    let location = start(&kit).await;
    assert_eq!(kit.get(UPLOADS).await.fails(405, "UNSUPPORTED").header("allow"), "POST");
    kit.post(&location).await.fails(405, "UNSUPPORTED");
}
