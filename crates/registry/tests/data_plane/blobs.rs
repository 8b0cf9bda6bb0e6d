//! Rows 2 and 10: reading, ranges, and letting go.

use http::Method;
use rookery_registry::Digest;

use crate::kit::{Kit, Reply};

fn content() -> Vec<u8> {
    (0..2048_u32).map(|index| (index % 251) as u8).collect()
}

async fn ranged(kit: &Kit, digest: &Digest, range: &str) -> Reply {
    kit.call(Method::GET, format!("/v2/library/app/blobs/{digest}")).header("range", range).send().await
}

#[tokio::test]
async fn a_blob_with_exact_headers() {
    let kit = Kit::new();
    let digest = kit.blob("library/app", content()).await;
    let path = format!("/v2/library/app/blobs/{digest}");
    let (got, head) = (kit.get(&path).await.is(200), kit.head(&path).await.is(200));
    assert_eq!(got.body, content());
    for reply in [&got, &head] {
        assert_eq!(reply.header("content-length"), "2048");
        assert_eq!(reply.header("content-type"), "application/octet-stream");
        assert_eq!(reply.header("docker-content-digest"), digest.as_str());
        assert_eq!(reply.header("accept-ranges"), "bytes");
        assert_eq!(reply.header("etag"), format!("\"{digest}\""));
    }
}

#[tokio::test]
async fn ranges_as_the_specification_has_them() {
    let kit = Kit::new();
    let (digest, content) = (kit.blob("library/app", content()).await, content());
    for (range, answer, part) in [
        ("bytes=500-1499", "bytes 500-1499/2048", 500..1500),
        ("bytes=500-", "bytes 500-2047/2048", 500..2048),
        ("bytes=-500", "bytes 1548-2047/2048", 1548..2048),
        ("bytes=2000-5000", "bytes 2000-2047/2048", 2000..2048),
        ("bytes=0-0", "bytes 0-0/2048", 0..1),
    ] {
        let reply = ranged(&kit, &digest, range).await.is(206);
        assert_eq!(reply.header("content-range"), answer);
        assert_eq!(reply.header("content-length"), part.len().to_string());
        assert_eq!(reply.body, &content[part]);
        assert_eq!(reply.header("docker-content-digest"), digest.as_str());
    }
    for range in ["bytes=500-0", "bytes=5000-10000"] {
        let reply = ranged(&kit, &digest, range).await.fails(416, "SIZE_INVALID");
        assert_eq!(reply.header("content-range"), "bytes */2048");
    }
    for range in ["bytes=0-1,5-6", "lines=1-2"] {
        assert_eq!(ranged(&kit, &digest, range).await.is(200).body, content);
    }
    let head = kit.call(Method::HEAD, format!("/v2/library/app/blobs/{digest}")).header("range", "bytes=0-0");
    assert_eq!(head.send().await.is(200).header("content-length"), "2048");
}

#[tokio::test]
async fn conditional_requests() {
    let kit = Kit::new();
    let digest = kit.blob("library/app", content()).await;
    let path = format!("/v2/library/app/blobs/{digest}");
    let same =
        kit.call(Method::GET, &path).header("if-none-match", &format!("\"{digest}\"")).send().await.is(304);
    assert_eq!(same.header("etag"), format!("\"{digest}\""));
    assert!(same.body.is_empty());
    kit.call(Method::GET, &path).header("if-none-match", "\"other\"").send().await.is(200);
    let stale = kit.call(Method::GET, &path).header("if-range", "\"other\"").header("range", "bytes=0-0");
    stale.send().await.is(200);
}

#[tokio::test]
async fn unknown_and_malformed_digests() {
    let kit = Kit::new();
    let unknown = Digest::sha256(b"unknown");
    let reply = kit.get(format!("/v2/library/app/blobs/{unknown}")).await.fails(404, "BLOB_UNKNOWN");
    assert_eq!(reply.json()["errors"][0]["detail"]["digest"], unknown.as_str());
    kit.head(format!("/v2/library/app/blobs/{unknown}")).await.is(404);
    for digest in ["sha256:x", "md5:d41d8cd98f00b204e9800998ecf8427e", "latest"] {
        kit.get(format!("/v2/library/app/blobs/{digest}")).await.fails(400, "DIGEST_INVALID");
    }
}

#[tokio::test]
async fn a_digest_is_worth_nothing_without_a_link() {
    let kit = Kit::new();
    let digest = kit.blob("library/app", "secret layer").await;
    kit.get(format!("/v2/library/guess/blobs/{digest}")).await.fails(404, "BLOB_UNKNOWN");
    let elsewhere =
        kit.call(Method::GET, format!("/v2/library/app/blobs/{digest}")).header("host", "other.test");
    elsewhere.send().await.fails(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn deleting_takes_a_blob_from_one_repository_only() {
    let kit = Kit::new();
    let digest = kit.blob("library/one", "shared").await;
    kit.blob("library/two", "shared").await;
    kit.delete(format!("/v2/library/one/blobs/{digest}")).await.is(202);
    kit.head(format!("/v2/library/one/blobs/{digest}")).await.is(404);
    kit.delete(format!("/v2/library/one/blobs/{digest}")).await.fails(404, "BLOB_UNKNOWN");
    kit.get(format!("/v2/library/two/blobs/{digest}")).await.is(200);
    // Pushing it again brings it back.
    kit.blob("library/one", "shared").await;
    kit.get(format!("/v2/library/one/blobs/{digest}")).await.is(200);
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let kit = Kit::new();
    let digest = Digest::sha256(b"");
    let reply = kit.post(format!("/v2/library/app/blobs/{digest}")).await.fails(405, "UNSUPPORTED");
    assert_eq!(reply.header("allow"), "GET, HEAD, DELETE");
}
