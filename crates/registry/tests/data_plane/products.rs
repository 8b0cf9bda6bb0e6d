//! What products use without HTTP, and what they are told.

use bytes::Bytes;
use http::Method;
use rookery_registry::{
    Deleted, Digest, Error, OpenError, Options, Origin, Reference, Registry, RegistryId, Subject, TokenKey,
    Totals,
};
use serde_json::json;
use time::Duration;

use crate::kit::{IMAGE, Kit, descriptor, digest_of, repository, tag};

const APP: &str = "library/app";

fn demo() -> RegistryId {
    RegistryId::new("tcr-demo")
}

#[tokio::test]
async fn a_push_is_told_in_full_before_and_after() {
    let kit = Kit::new();
    let manifest = kit.image_manifest(APP, "one").await;
    kit.put(APP, "v1", IMAGE, &manifest).await.is(201);
    let push = kit.product.accepted.lock()[0].clone();
    assert_eq!(kit.product.accepting.lock().as_slice(), std::slice::from_ref(&push));
    assert_eq!(push.repository, repository(APP));
    assert_eq!(push.reference, Reference::Tag(tag("v1")));
    assert_eq!(push.digest, digest_of(&manifest));
    assert_eq!(push.media_type, IMAGE);
    assert_eq!(push.size, manifest.to_string().len() as u64);
    assert_eq!(push.artifact_type.as_deref(), Some("application/vnd.oci.image.config.v1+json"));
    assert_eq!(push.config, Some(Digest::sha256(br#"{"seed":"one"}"#)));
    assert_eq!(push.layers, [Digest::sha256(b"layer one")]);
    assert_eq!(push.total_size, 14 + 9);
    assert_eq!(push.pusher, Some(Subject::new("alice")));
    assert_eq!((push.subject, push.previous), (None, None));
    assert!(push.new_repository && push.new_manifest);
    kit.put(APP, digest_of(&manifest).as_str(), IMAGE, &manifest).await.is(201);
    let again = kit.product.accepted.lock()[1].clone();
    assert_eq!(again.reference, Reference::Digest(digest_of(&manifest)));
    assert!(!again.new_repository && !again.new_manifest);
    let index =
        json!({"schemaVersion": 2, "manifests": [descriptor(IMAGE, manifest.to_string().as_bytes())]});
    kit.put(APP, "multi", "application/vnd.oci.image.index.v1+json", &index).await.is(201);
    let multi = kit.product.accepted.lock()[2].clone();
    assert_eq!((multi.children, multi.total_size), (vec![digest_of(&manifest)], 23));
}

#[tokio::test]
async fn each_tag_of_a_push_is_told() {
    let kit = Kit::new();
    let manifest = kit.image_manifest(APP, "one").await;
    kit.put(APP, &format!("{}?tag=a&tag=b", digest_of(&manifest)), IMAGE, &manifest).await.is(201);
    let told: Vec<_> = kit.product.accepted.lock().iter().map(|push| push.reference.to_string()).collect();
    assert_eq!(told, ["a", "b"]);
}

#[tokio::test]
async fn a_refused_push_leaves_nothing() {
    let kit = Kit::new();
    *kit.product.frozen.lock() = Some("b".to_owned());
    let manifest = kit.image_manifest(APP, "one").await;
    let reply = kit.put(APP, &format!("{}?tag=a&tag=b", digest_of(&manifest)), IMAGE, &manifest).await;
    assert_eq!(reply.fails(412, "DENIED").json()["errors"][0]["message"], "the tag is immutable");
    kit.get(format!("/v2/{APP}/manifests/a")).await.fails(404, "MANIFEST_UNKNOWN");
    kit.get(format!("/v2/{APP}/tags/list")).await.fails(404, "NAME_UNKNOWN");
    assert!(kit.product.accepted.lock().is_empty());
}

#[tokio::test]
async fn what_the_product_writes_it_is_not_asked_about() {
    let kit = Kit::new();
    let (registry, app) = (&kit.registry, repository(APP));
    *kit.product.frozen.lock() = Some("signature".to_owned());
    let payload = registry.put_blob(&app, Bytes::from_static(b"payload")).await.expect("stored");
    let config = registry.put_blob(&app, Bytes::from_static(b"{}")).await.expect("stored");
    let manifest = json!({
        "schemaVersion": 2, "config": descriptor("application/x", b"{}"), "layers": [descriptor("application/y", b"payload")],
    });
    let bytes = Bytes::from(manifest.to_string());
    let reference = Reference::Tag(tag("signature"));
    let stored = registry
        .put_manifest(&app, &reference, IMAGE, bytes.clone(), Origin::Internal)
        .await
        .expect("stored");
    assert_eq!(stored.digest, digest_of(&manifest));
    assert!(kit.product.accepting.lock().is_empty() && kit.product.accepted.lock().is_empty());
    let found = registry.get_manifest(&app, &reference).expect("read").expect("there");
    assert_eq!(
        (found.bytes, found.info.layers, found.info.config),
        (bytes.clone(), vec![payload.clone()], Some(config))
    );
    assert_eq!(kit.get(format!("/v2/{APP}/manifests/signature")).await.is(200).body, bytes);
    assert_eq!(registry.blob(&app, &payload, 100).await.expect("read").as_deref(), Some(&b"payload"[..]));
    assert!(matches!(registry.blob(&app, &payload, 3).await, Err(Error::SizeInvalid)));
    assert_eq!(registry.blob(&app, &Digest::sha256(b"x"), 100).await.expect("read"), None);
    // As a client it is asked, and checked like one.
    let refused = registry.put_manifest(&app, &reference, IMAGE, bytes, Origin::Client(None)).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    let missing =
        json!({"schemaVersion": 2, "config": descriptor("application/x", b"missing"), "layers": []});
    let missing =
        registry.put_manifest(&app, &reference, IMAGE, missing.to_string().into(), Origin::Internal).await;
    assert!(matches!(missing, Err(Error::ManifestBlobUnknown(_))));
}

#[tokio::test]
async fn tags_and_repositories_come_in_pages() {
    let kit = Kit::new();
    for (name, version) in
        [(APP, "v1"), (APP, "v2"), (APP, "v3"), ("library/b", "x"), ("libraryx/c", "x"), ("zoo", "x")]
    {
        kit.image(name, version, version).await;
        kit.world.advance(Duration::SECOND);
    }
    let (registry, app) = (&kit.registry, repository(APP));
    let page = registry.tags(&app, Some("v1"), 1).expect("listed");
    assert_eq!(page[0].tag, tag("v2"));
    assert_eq!(
        page[0].manifest.digest,
        kit.head(format!("/v2/{APP}/manifests/v2"))
            .await
            .header("docker-content-digest")
            .parse()
            .expect("a digest")
    );
    assert_eq!((page[0].manifest.media_type.as_str(), page[0].manifest.total_size), (IMAGE, 21));
    assert_eq!(page[0].pushed_at + Duration::seconds(5), kit.world.now());
    assert_eq!(registry.count_tags(&app).expect("counted"), 3);
    assert_eq!(registry.tags_of(&app, &page[0].manifest.digest).expect("listed"), [tag("v2")]);
    let names = |namespace, after, limit| -> Vec<String> {
        let found = registry.repositories(&demo(), namespace, after, limit).expect("listed");
        found.into_iter().map(|entry| entry.repository.name().to_owned()).collect()
    };
    assert_eq!(names(None, None, 10), [APP, "library/b", "libraryx/c", "zoo"]);
    assert_eq!(names(None, Some("library/b"), 1), ["libraryx/c"]);
    assert_eq!(names(Some("library"), None, 10), [APP, "library/b"]);
    assert_eq!(names(Some("library"), Some(APP), 10), ["library/b"]);
    let entry = registry.repository(&app).expect("read").expect("there");
    assert_eq!(entry.updated_at - entry.created_at, Duration::seconds(2));
    assert_eq!(registry.repository(&repository("nobody")).expect("read"), None);
}

#[tokio::test]
async fn an_empty_repository_can_be_made() {
    let kit = Kit::new();
    assert!(kit.registry.create_repository(&repository(APP)).await.expect("made"));
    assert!(!kit.registry.create_repository(&repository(APP)).await.expect("known"));
    assert_eq!(kit.get(format!("/v2/{APP}/tags/list")).await.is(200).json()["tags"], json!([]));
    kit.image(APP, "v1", "one").await;
    assert!(!kit.product.accepted.lock()[0].new_repository);
}

#[tokio::test]
async fn totals_count_what_is_there() {
    let kit = Kit::new();
    kit.image(APP, "v1", "one").await;
    kit.image(APP, "v2", "one").await;
    kit.image("library/b", "v1", "one").await;
    let size =
        kit.registry.manifest_info(&repository(APP), &tag("v1").into()).expect("read").expect("there").size;
    let one = Totals { repositories: 1, tags: 2, manifests: 1, blobs: 2, bytes: 23 + size };
    assert_eq!(kit.registry.repository_totals(&repository(APP)).expect("counted"), one);
    let all = Totals { repositories: 2, tags: 3, manifests: 2, blobs: 4, bytes: 2 * (23 + size) };
    assert_eq!(kit.registry.registry_totals(&demo()).expect("counted"), all);
    assert_eq!(kit.registry.repository_totals(&repository("nobody")).expect("counted"), Totals::default());
}

#[tokio::test]
async fn an_image_is_copied_without_its_bytes() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    let (source, target) = (repository(APP), repository("library/copy"));
    let manifest = kit.registry.get_manifest(&source, &tag("v1").into()).expect("read").expect("there");
    for blob in manifest.info.config.iter().chain(&manifest.info.layers) {
        assert!(kit.registry.mount_blob(&source, &target, blob).await.expect("mounted"));
    }
    assert!(!kit.registry.mount_blob(&source, &target, &Digest::sha256(b"x")).await.expect("asked"));
    let origin = Origin::Client(Some(Subject::new("alice")));
    kit.registry
        .put_manifest(&target, &tag("v2").into(), &manifest.info.media_type, manifest.bytes, origin)
        .await
        .expect("stored");
    assert_eq!(
        kit.head("/v2/library/copy/manifests/v2").await.is(200).header("docker-content-digest"),
        digest.as_str()
    );
    assert_eq!(kit.registry.referrers(&target, &digest, None).expect("listed"), []);
}

#[tokio::test]
async fn tags_and_manifests_are_deleted() {
    let kit = Kit::new();
    let digest = kit.image(APP, "v1", "one").await;
    let app = repository(APP);
    kit.registry.delete_tag(&app, &tag("v1"), Origin::Internal).await.expect("deleted");
    let again = kit.registry.delete_tag(&app, &tag("v1"), Origin::Internal).await;
    assert!(matches!(again, Err(Error::ManifestUnknown(_))));
    kit.registry.delete_manifest(&app, &digest, Origin::Internal).await.expect("deleted");
    let again = kit.registry.delete_manifest(&app, &digest, Origin::Internal).await;
    assert!(matches!(again, Err(Error::ManifestUnknown(_))));
    kit.registry.unlink_blob(&app, &Digest::sha256(b"layer one")).await.expect("unlinked");
    let again = kit.registry.unlink_blob(&app, &Digest::sha256(b"layer one")).await;
    assert!(matches!(again, Err(Error::BlobUnknown(_))));
}

#[tokio::test]
async fn repositories_namespaces_and_registries_are_removed() {
    let kit = Kit::new();
    for name in [APP, "library/b", "libraryx/c", "zoo"] {
        kit.image(name, "v1", "one").await;
    }
    kit.blob("library/only-a-blob", "x").await;
    let layer = Digest::sha256(b"layer one");
    assert!(kit.registry.delete_repository(&repository(APP), Origin::Internal).await.expect("deleted"));
    assert!(!kit.registry.delete_repository(&repository(APP), Origin::Internal).await.expect("gone"));
    kit.get(format!("/v2/{APP}/tags/list")).await.fails(404, "NAME_UNKNOWN");
    kit.get(format!("/v2/{APP}/manifests/v1")).await.fails(404, "MANIFEST_UNKNOWN");
    kit.get(format!("/v2/{APP}/blobs/{layer}")).await.fails(404, "BLOB_UNKNOWN");
    assert_eq!(
        kit.registry.remove_repositories(&demo(), "library", Origin::Internal).await.expect("removed"),
        2
    );
    kit.get("/v2/libraryx/c/manifests/v1").await.is(200);
    assert_eq!(kit.registry.remove_registry(&demo()).await.expect("removed"), 2);
    assert_eq!(kit.registry.registry_totals(&demo()).expect("counted"), Totals::default());
    let told = kit.product.deleted.lock().clone();
    assert_eq!(told.len(), 5);
    assert!(told.iter().all(|deletion| deletion.target == Deleted::Repository));
    // A push afterwards starts from nothing.
    let upload = format!("/v2/{APP}/blobs/uploads/?mount={layer}");
    kit.call(Method::POST, upload).send().await.is(202);
    kit.image(APP, "v1", "one").await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_said_to_be() {
    let kit = Kit::new();
    let file = kit.directory.path().join("a file");
    std::fs::write(&file, "").expect("written");
    let options = Options::new(&file, TokenKey::generate().expect("randomness"));
    let opened = Registry::new(
        options,
        kit.store.clone(),
        kit.world.clone(),
        kit.product.clone(),
        kit.product.clone(),
    );
    assert!(matches!(opened, Err(OpenError::Directory { path, .. }) if path == file));
}
