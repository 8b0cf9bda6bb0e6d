//! Rows 3 and 7: bytes exactly as pushed, and what may not be pushed.

use http::Method;
use rookery_registry::{Algorithm, Digest, MANIFEST_LIMIT};
use serde_json::json;

use crate::kit::{IMAGE, INDEX, Kit, descriptor, digest_of};

const APP: &str = "library/app";

#[tokio::test]
async fn a_manifest_comes_back_as_it_was_pushed() {
    let kit = Kit::new();
    let manifest = kit.image_manifest(APP, "one").await;
    // Spaces and unknown fields are part of what was signed.
    let bytes = format!("{} ", manifest.to_string().replacen('{', "{ \"x-custom\":1,", 1));
    let digest = Digest::sha256(bytes.as_bytes());
    let put = kit
        .call(Method::PUT, format!("/v2/{APP}/manifests/v1"))
        .header("content-type", &format!("{IMAGE}; charset=utf-8"));
    let reply = put.body(bytes.clone()).send().await.is(201);
    assert_eq!(reply.header("location"), format!("/v2/{APP}/manifests/{digest}"));
    assert_eq!(reply.header("docker-content-digest"), digest.as_str());
    assert!(!reply.headers.contains_key("oci-subject") && !reply.headers.contains_key("oci-tag"));
    for reference in ["v1", digest.as_str()] {
        let path = format!("/v2/{APP}/manifests/{reference}");
        let (got, head) = (kit.get(&path).await.is(200), kit.head(&path).await.is(200));
        assert_eq!(got.body, bytes);
        for reply in [&got, &head] {
            assert_eq!(reply.header("content-type"), IMAGE);
            assert_eq!(reply.header("content-length"), bytes.len().to_string());
            assert_eq!(reply.header("docker-content-digest"), digest.as_str());
            assert_eq!(reply.header("etag"), format!("\"{digest}\""));
        }
        kit.call(Method::GET, &path).header("if-none-match", &format!("\"{digest}\"")).send().await.is(304);
    }
    // After a restart nothing comes from memory.
    let kit = kit.restarted();
    assert_eq!(kit.get(format!("/v2/{APP}/manifests/v1")).await.is(200).body, bytes);
}

#[tokio::test]
async fn unknown_manifests() {
    let kit = Kit::new();
    kit.get("/v2/never/written/manifests/v1").await.fails(404, "MANIFEST_UNKNOWN");
    kit.image(APP, "v1", "one").await;
    kit.get(format!("/v2/{APP}/manifests/v2")).await.fails(404, "MANIFEST_UNKNOWN");
    kit.head(format!("/v2/{APP}/manifests/v2")).await.is(404);
    kit.get(format!("/v2/{APP}/manifests/{}", Digest::sha256(b"x"))).await.fails(404, "MANIFEST_UNKNOWN");
    kit.get(format!("/v2/{APP}/manifests/sha256:totallywrong")).await.fails(400, "DIGEST_INVALID");
    kit.get(format!("/v2/{APP}/manifests/.hidden")).await.fails(404, "MANIFEST_UNKNOWN");
    kit.head(format!("/v2/{APP}/manifests/.hidden")).await.is(404);
}

#[tokio::test]
async fn a_digest_reference_must_be_the_content_s_own() {
    let kit = Kit::new();
    let manifest = kit.image_manifest(APP, "one").await;
    let wrong = Digest::sha256(b"wrong");
    kit.put(APP, wrong.as_str(), IMAGE, &manifest).await.fails(400, "DIGEST_INVALID");
    kit.put(APP, "sha256:baddigeststring", IMAGE, &manifest).await.fails(400, "DIGEST_INVALID");
    kit.put(APP, digest_of(&manifest).as_str(), IMAGE, &manifest).await.is(201);
    let long = Digest::of(Algorithm::Sha512, manifest.to_string().as_bytes());
    kit.put(APP, long.as_str(), IMAGE, &manifest).await.is(201);
    let reply = kit.get(format!("/v2/{APP}/manifests/{long}")).await.is(200);
    assert_eq!(reply.header("docker-content-digest"), long.as_str());
}

#[tokio::test]
async fn what_a_manifest_names_must_be_there() {
    let kit = Kit::new();
    let manifest = kit.image_manifest("library/elsewhere", "one").await;
    let reply = kit.put(APP, "v1", IMAGE, &manifest).await.fails(404, "MANIFEST_BLOB_UNKNOWN");
    let errors = reply.json();
    let named: Vec<_> =
        errors["errors"].as_array().expect("errors").iter().map(|e| &e["detail"]["digest"]).collect();
    assert_eq!(named, [&manifest["config"]["digest"], &manifest["layers"][0]["digest"]]);
    let index = json!({"schemaVersion": 2, "manifests": [descriptor(IMAGE, b"not there")]});
    kit.put(APP, "v1", INDEX, &index).await.fails(404, "MANIFEST_BLOB_UNKNOWN");
    kit.head(format!("/v2/{APP}/manifests/v1")).await.is(404);
    kit.get(format!("/v2/{APP}/tags/list")).await.fails(404, "NAME_UNKNOWN");
}

#[tokio::test]
async fn foreign_layers_and_subjects_need_not_be_there() {
    let kit = Kit::new();
    let mut manifest = kit.image_manifest(APP, "one").await;
    manifest["layers"] =
        json!([descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", b"far away")]);
    manifest["subject"] = descriptor(IMAGE, b"not there yet");
    let reply = kit.put(APP, "v1", IMAGE, &manifest).await.is(201);
    assert_eq!(reply.header("oci-subject"), Digest::sha256(b"not there yet").as_str());
}

#[tokio::test]
async fn sizes_must_be_true() {
    let kit = Kit::new();
    let mut manifest = kit.image_manifest(APP, "one").await;
    manifest["layers"][0]["size"] = json!(1);
    kit.put(APP, "v1", IMAGE, &manifest).await.fails(400, "MANIFEST_INVALID");
}

#[tokio::test]
async fn malformed_manifests_are_refused() {
    let kit = Kit::new();
    for (content_type, body) in [
        (IMAGE, "{"),
        (IMAGE, "[]"),
        (IMAGE, "{\"schemaVersion\":2}"),
        (IMAGE, "{\"schemaVersion\":1,\"config\":{}}"),
        (INDEX, "{\"schemaVersion\":2,\"mediaType\":\"application/other\",\"manifests\":[]}"),
        ("", "{\"schemaVersion\":2,\"manifests\":[]}"),
        ("", "{\"schemaVersion\":2,\"manifests\":[],\"mediaType\":\"a\\nb/c\"}"),
    ] {
        let call =
            kit.call(Method::PUT, format!("/v2/{APP}/manifests/v1")).header("content-type", content_type);
        call.body(body).send().await.fails(400, "MANIFEST_INVALID");
    }
    let call = kit.call(Method::PUT, format!("/v2/{APP}/manifests/v1")).header("content-type", IMAGE);
    call.body(&b"{\"a\":\"\xff\"}"[..]).send().await.fails(400, "MANIFEST_INVALID");
    let manifest = kit.image_manifest(APP, "one").await;
    kit.put(APP, ".hidden", IMAGE, &manifest).await.fails(400, "MANIFEST_INVALID");
}

#[tokio::test]
async fn four_mebibytes_are_the_limit() {
    let kit = Kit::new();
    let mut manifest = kit.image_manifest(APP, "one").await;
    let room = MANIFEST_LIMIT - manifest.to_string().len() - r#","annotations":{"a":""}"#.len();
    manifest["annotations"] = json!({"a": "x".repeat(room)});
    assert_eq!(manifest.to_string().len(), MANIFEST_LIMIT);
    kit.put(APP, "large", IMAGE, &manifest).await.is(201);
    let reply = kit.get(format!("/v2/{APP}/manifests/large")).await.is(200);
    assert_eq!(reply.body, manifest.to_string());
    manifest["annotations"] = json!({"a": "x".repeat(room + 1)});
    kit.put(APP, "larger", IMAGE, &manifest).await.fails(413, "MANIFEST_INVALID");
    let announced =
        kit.call(Method::PUT, format!("/v2/{APP}/manifests/v1")).header("content-length", "4194305");
    announced.body("{}").send().await.fails(413, "MANIFEST_INVALID");
}

#[tokio::test]
async fn artifacts_indexes_and_unknown_types_are_taken() {
    let kit = Kit::new();
    kit.blob(APP, "{}").await;
    let empty = descriptor("application/vnd.oci.empty.v1+json", b"{}");
    let artifact = json!({
        "schemaVersion": 2, "artifactType": "application/x", "config": empty, "layers": [empty],
    });
    kit.put(APP, "artifact", IMAGE, &artifact).await.is(201);
    kit.put(APP, "no-layers", IMAGE, &json!({"schemaVersion": 2, "config": empty})).await.is(201);
    kit.put(APP, "empty-index", INDEX, &json!({"schemaVersion": 2, "manifests": []})).await.is(201);
    let bytes = artifact.to_string();
    let nested = json!({"schemaVersion": 2, "manifests": [descriptor(IMAGE, bytes.as_bytes())]});
    kit.put(APP, "index", INDEX, &nested).await.is(201);
    let outer = json!({"schemaVersion": 2, "manifests": [descriptor(INDEX, nested.to_string().as_bytes())]});
    kit.put(APP, "nested", INDEX, &outer).await.is(201);
    let unknown = json!({"anything": [1, 2]});
    kit.put(APP, "unknown", "application/vnd.example+json", &unknown).await.is(201);
    let reply = kit.get(format!("/v2/{APP}/manifests/unknown")).await.is(200);
    assert_eq!(reply.header("content-type"), "application/vnd.example+json");
}

#[tokio::test]
async fn several_tags_with_one_push() {
    let kit = Kit::new();
    let manifest = kit.image_manifest(APP, "one").await;
    let digest = digest_of(&manifest);
    let tags: Vec<String> = (0..12).map(|index| format!("tag=t{index}")).collect();
    let reply = kit.put(APP, &format!("{digest}?{}", tags.join("&")), IMAGE, &manifest).await.is(201);
    assert_eq!(reply.headers.get_all("oci-tag").iter().count(), 12);
    let reply = kit.put(APP, &format!("{digest}?tag=a,b,a"), IMAGE, &manifest).await.is(201);
    assert_eq!(reply.headers.get_all("oci-tag").iter().collect::<Vec<_>>(), ["a", "b"]);
    for tag in ["t0", "t11", "a", "b"] {
        assert_eq!(
            kit.head(format!("/v2/{APP}/manifests/{tag}")).await.is(200).header("docker-content-digest"),
            digest.as_str()
        );
    }
    let many: Vec<String> = (0..101).map(|index| format!("m{index}")).collect();
    kit.put(APP, &format!("{digest}?tag={}", many.join(",")), IMAGE, &manifest)
        .await
        .fails(414, "UNSUPPORTED");
    kit.put(APP, &format!("{digest}?tag=.bad"), IMAGE, &manifest).await.fails(400, "MANIFEST_INVALID");
    kit.head(format!("/v2/{APP}/manifests/m0")).await.is(404);
}

#[tokio::test]
async fn a_tag_moves() {
    let kit = Kit::new();
    let first = kit.image(APP, "latest", "one").await;
    let second = kit.image(APP, "latest", "two").await;
    let path = format!("/v2/{APP}/manifests/latest");
    assert_eq!(kit.head(&path).await.is(200).header("docker-content-digest"), second.as_str());
    kit.head(format!("/v2/{APP}/manifests/{first}")).await.is(200);
    let pushes = kit.product.accepted.lock().clone();
    assert_eq!(pushes[0].previous, None);
    assert_eq!(pushes[1].previous, Some(first));
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let kit = Kit::new();
    let reply = kit.post(format!("/v2/{APP}/manifests/v1")).await.fails(405, "UNSUPPORTED");
    assert_eq!(reply.header("allow"), "GET, HEAD, PUT, DELETE");
}
