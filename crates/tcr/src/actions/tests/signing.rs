//! Images signed as they are pushed, later, or by hand; verified with the public key alone, as cosign does.

use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rookery_api::tcr::{
    CreateSignaturePolicyRequest, CreateSignatureRequest, DeleteSignaturePolicyRequest,
    DescribeImagesRequest, ErrorCode,
};
use rookery_registry::{Digest, Origin, Reference, Tag};
use rookery_signing::SignerError;
use rookery_store::Read as _;
use serde_json::Value;
use time::Duration;
use tokio::sync::watch;

use super::{Bench, ECC_KEY, FakeSigner, OCI, RSA_KEY, UIN, call, call_of, code, policy_request, repository};
use crate::actions::image::describe_images::describe_images;
use crate::actions::signature::create_signature::create_signature;
use crate::actions::signature::create_signature_policy::create_signature_policy;
use crate::actions::signature::delete_signature_policy::delete_signature_policy;
use crate::signing_queue::{PendingRow, SigningQueue, Which};

/// Pushes an index of one child image; tells the digests of both.
pub(super) async fn push_index(bench: &Bench, id: &str, tag: &str) -> (Digest, Digest) {
    let child = bench.push(id, "library/app", "child", "child").await;
    let (registry, repository) = (bench.tcr.registry(), repository(id, "library/app"));
    let size = registry.manifest_info(&repository, &child.clone().into()).unwrap().unwrap().size;
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{{"mediaType":"{OCI}","size":{size},"digest":"{child}"}}]}}"#
    );
    let reference = Reference::Tag(Tag::new(tag).unwrap());
    let stored =
        registry.put_manifest(&repository, &reference, media_type, Bytes::from(index), Origin::Client(None));
    (stored.await.unwrap().digest, child)
}

/// The layers of an image's signature manifest.
fn signature_layers(bench: &Bench, id: &str, digest: &Digest) -> Vec<Value> {
    let tag = format!("sha256-{}.sig", digest.hex()).parse().unwrap();
    let manifest = bench.tcr.registry().get_manifest(&repository(id, "library/app"), &tag).unwrap();
    let Some(manifest) = manifest else { return Vec::new() };
    let manifest: Value = serde_json::from_slice(&manifest.bytes).unwrap();
    manifest["layers"].as_array().unwrap().clone()
}

/// What cosign does: finds the artefact by its tag, checks that the payload names the image, and the signature over its bytes.
/// Tells the reference that was signed.
async fn verify(bench: &Bench, id: &str, digest: &Digest, key: &str) -> String {
    let layers = signature_layers(bench, id, digest);
    assert_eq!(layers.len(), 1, "{layers:?}");
    let payload: Digest = layers[0]["digest"].as_str().unwrap().parse().unwrap();
    let payload = bench.tcr.registry().blob(&repository(id, "library/app"), &payload, 10_000).await;
    let payload = payload.unwrap().unwrap();
    let signature = layers[0]["annotations"]["dev.cosignproject.cosign/signature"].as_str().unwrap();
    let algorithm: &'static dyn VerificationAlgorithm =
        if key == RSA_KEY { &RSA_PKCS1_2048_8192_SHA256 } else { &ECDSA_P256_SHA256_ASN1 };
    UnparsedPublicKey::new(algorithm, FakeSigner::public_key(key))
        .verify(&payload, &STANDARD.decode(signature).unwrap())
        .unwrap();
    assert_eq!(shown(bench, id, digest).await, signature);
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload["critical"]["image"]["docker-manifest-digest"], digest.to_string());
    payload["critical"]["identity"]["docker-reference"].as_str().unwrap().to_owned()
}

/// `KmsSignature` of an image.
async fn shown(bench: &Bench, id: &str, digest: &Digest) -> String {
    let request = DescribeImagesRequest {
        registry_id: id.to_owned(),
        namespace_name: "library".to_owned(),
        repository_name: "app".to_owned(),
        digest: Some(digest.to_string()),
        ..DescribeImagesRequest::default()
    };
    let mut images = describe_images(&bench.tcr, call(request)).await.unwrap().image_info_list;
    images.pop().expect("the image is listed").kms_signature
}

fn pending(bench: &Bench) -> Vec<PendingRow> {
    let rows = bench.store.read(|view| view.scan_all::<SigningQueue>()).unwrap();
    rows.into_iter().map(|(_, _, row)| row).collect()
}

fn by_hand(id: &str, tag: &str) -> CreateSignatureRequest {
    CreateSignatureRequest {
        registry_id: id.to_owned(),
        namespace_name: "library".to_owned(),
        repository_name: "app".to_owned(),
        image_version: tag.to_owned(),
    }
}

fn delete(id: &str) -> DeleteSignaturePolicyRequest {
    DeleteSignaturePolicyRequest { registry_id: id.to_owned(), namespace_name: "library".to_owned() }
}

async fn sign(bench: &Bench, request: CreateSignatureRequest) -> Result<(), crate::error::Error> {
    create_signature(&bench.tcr, call(request)).await.map(drop)
}

#[tokio::test]
async fn an_image_is_signed_when_its_push_is_answered() {
    for key in [RSA_KEY, ECC_KEY] {
        let bench = Bench::new().await;
        let id = bench.library().await;
        bench.policy(&id, key).await;
        let digest = bench.push(&id, "library/app", "v1", "content").await;
        assert_eq!(verify(&bench, &id, &digest, key).await, "demo1.cr.localhost/library/app");
        assert!(pending(&bench).is_empty());
        // Pushing the same again, under whatever tag, signs nothing anew.
        bench.push(&id, "library/app", "v2", "content").await;
        assert_eq!(*bench.signer.signed.lock(), 4, "three formats and the certificate of the key");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn signing_one_image_at_once_leaves_one_signature_and_shows_it() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, ECC_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    // Every ECDSA signature is another one, so what is shown and what is in the registry can differ.
    let signings = (0..64).map(|_| {
        let (tcr, request) = (Arc::clone(&bench.tcr), by_hand(&id, "v1"));
        tokio::spawn(async move { create_signature(&tcr, call(request)).await.map(drop) })
    });
    for signing in signings.collect::<Vec<_>>() {
        signing.await.unwrap().unwrap();
    }
    verify(&bench, &id, &digest, ECC_KEY).await;
}

#[tokio::test]
async fn signing_waits_for_whoever_is_at_work_on_the_image() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let at_work = bench.tcr.signing.lock(&digest).await;
    let mut signing = std::pin::pin!(sign(&bench, by_hand(&id, "v1")));
    for _ in 0..10_000 {
        tokio::select! {
            biased;
            _ = &mut signing => panic!("signed while somebody else was at work"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(at_work);
    signing.await.unwrap();
    verify(&bench, &id, &digest, RSA_KEY).await;
}

#[tokio::test]
async fn the_policys_domain_is_what_is_signed() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let request = CreateSignaturePolicyRequest {
        domain: Some("images.example.com".to_owned()),
        kms_region: super::REGION.to_owned(),
        ..policy_request(&id, RSA_KEY)
    };
    create_signature_policy(&bench.tcr, call(request)).await.unwrap();
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    assert_eq!(verify(&bench, &id, &digest, RSA_KEY).await, "images.example.com/library/app");
}

#[tokio::test]
async fn an_index_and_its_children_are_signed() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let (index, child) = push_index(&bench, &id, "multi").await;
    verify(&bench, &id, &index, RSA_KEY).await;
    verify(&bench, &id, &child, RSA_KEY).await;
}

#[tokio::test]
async fn neither_signatures_nor_referrers_nor_other_namespaces_are_signed() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.namespace(&id, "plain", false).await;
    bench.policy(&id, RSA_KEY).await;
    bench.push(&id, "plain/app", "v1", "content").await;
    let image = bench.push(&id, "library/app", "v1", "content").await;
    bench.push(&id, "library/app", &format!("sha256-{}.sig", "a".repeat(64)), "somebody's signature").await;
    let (registry, repository) = (bench.tcr.registry(), repository(&id, "library/app"));
    let empty = registry.put_blob(&repository, Bytes::from_static(b"{}")).await.unwrap();
    let referrer = format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI}","artifactType":"text/sbom","config":{{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"{empty}"}},"layers":[{{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"{empty}"}}],"subject":{{"mediaType":"{OCI}","size":1,"digest":"{image}"}}}}"#
    );
    let reference = Digest::sha256(referrer.as_bytes()).into();
    registry
        .put_manifest(&repository, &reference, OCI, Bytes::from(referrer), Origin::Client(None))
        .await
        .unwrap();
    assert_eq!(*bench.signer.signed.lock(), 4, "the three formats of one image and the certificate");
    assert!(pending(&bench).is_empty());
}

#[tokio::test]
async fn a_disabled_policy_signs_nothing() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let request = CreateSignaturePolicyRequest { disabled: Some(true), ..policy_request(&id, RSA_KEY) };
    create_signature_policy(&bench.tcr, call(request)).await.unwrap();
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    assert!(signature_layers(&bench, &id, &digest).is_empty() && pending(&bench).is_empty());
    assert_eq!(code(sign(&bench, by_hand(&id, "v1")).await), ErrorCode::OperationDenied);
}

#[tokio::test]
async fn a_push_stands_while_the_key_does_not_sign_and_is_signed_later() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    bench.signer.break_key(RSA_KEY, SignerError::KeyDisabled);
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    assert_eq!(shown(&bench, &id, &digest).await, "");
    let row = pending(&bench).pop().unwrap();
    assert_eq!(
        (row.failures, row.last_error.as_deref()),
        (1, Some("The key service refused: the key is disabled."))
    );
    // Not before its time, then again after a longer pause.
    bench.tcr.work_off(Which::Due).await;
    assert_eq!(pending(&bench)[0].failures, 1);
    bench.world.advance(Duration::seconds(5));
    bench.tcr.work_off(Which::Due).await;
    assert_eq!(pending(&bench)[0].failures, 2);
    bench.signer.mend();
    bench.world.advance(Duration::seconds(9));
    bench.tcr.work_off(Which::Due).await;
    assert_eq!(pending(&bench).len(), 1);
    bench.world.advance(Duration::seconds(1));
    bench.tcr.work_off(Which::Due).await;
    assert!(pending(&bench).is_empty());
    verify(&bench, &id, &digest, RSA_KEY).await;
}

#[tokio::test]
async fn what_a_crash_left_is_signed_by_the_next_process() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    bench.signer.break_key(RSA_KEY, SignerError::Unavailable("down".to_owned()));
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let told = pending(&bench)[0].last_error.clone().unwrap();
    assert!(told.ends_with("it is unavailable. (the key service is unavailable: down)"), "{told}");
    bench.signer.mend();
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(bench.restarted().await.run_signing_queue(stopped));
    // The row is not due for seconds, and the clock stands still: only the start takes it.
    let worked_off = async {
        while !pending(&bench).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), worked_off).await.expect("the start takes it");
    stop.send_replace(true);
    worker.await.unwrap();
    verify(&bench, &id, &digest, RSA_KEY).await;
}

#[tokio::test]
async fn what_waits_for_a_signature_that_nobody_wants_is_dropped() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    bench.signer.break_key(RSA_KEY, SignerError::KeyPendingDelete);
    let first = bench.push(&id, "library/app", "v1", "one").await;
    bench.push(&id, "library/app", "v2", "two").await;
    let repository = repository(&id, "library/app");
    bench.tcr.registry().delete_manifest(&repository, &first, Origin::Client(None)).await.unwrap();
    assert_eq!(pending(&bench).len(), 1, "the row of a deleted image goes with it");
    delete_signature_policy(&bench.tcr, call(delete(&id))).await.unwrap();
    assert!(pending(&bench).is_empty());
}

#[tokio::test]
async fn deleting_the_policy_takes_back_what_it_signed_and_nothing_else() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let (alone, shared) = (
        bench.push(&id, "library/app", "v1", "one").await,
        bench.push(&id, "library/app", "v2", "two").await,
    );
    // Somebody adds a signature of their own, as cosign does: another layer of the same manifest.
    let tag: Reference = format!("sha256-{}.sig", shared.hex()).parse().unwrap();
    let (registry, place) = (bench.tcr.registry(), repository(&id, "library/app"));
    let manifest = registry.get_manifest(&place, &tag).unwrap().unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest.bytes).unwrap();
    let mut foreign = manifest["layers"][0].clone();
    foreign["annotations"] = serde_json::json!({"dev.cosignproject.cosign/signature": "bWluZQ=="});
    manifest["layers"].as_array_mut().unwrap().push(foreign.clone());
    let bytes = Bytes::from(manifest.to_string());
    registry.put_manifest(&place, &tag, OCI, bytes, Origin::Client(None)).await.unwrap();

    delete_signature_policy(&bench.tcr, call(delete(&id))).await.unwrap();
    assert!(signature_layers(&bench, &id, &alone).is_empty());
    assert_eq!(signature_layers(&bench, &id, &shared), [foreign]);
    for digest in [&alone, &shared] {
        assert_eq!(shown(&bench, &id, digest).await, "");
    }
    assert!(bench.tcr.signing.withdrawn(1).unwrap().is_empty());
    let again = delete_signature_policy(&bench.tcr, call(delete(&id))).await;
    assert_eq!(code(again), ErrorCode::ResourceNotFoundTcrResourceNotFound);
    let nowhere = delete_signature_policy(&bench.tcr, call(delete("tcr-missing1"))).await;
    assert_eq!(code(nowhere), ErrorCode::ResourceNotFound);
    // Another policy, with another key, signs what is pushed from then on.
    bench.policy(&id, ECC_KEY).await;
    let later = bench.push(&id, "library/app", "v3", "three").await;
    verify(&bench, &id, &later, ECC_KEY).await;
}

#[tokio::test]
async fn a_withdrawal_that_was_interrupted_is_finished() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "one").await;
    let place = id.clone();
    let marked = bench.store.write(move |tx| {
        let instance = crate::instances::find(tx, &place)?.unwrap();
        let policy = crate::signature_policies::find(tx, &instance, "library")?.unwrap();
        crate::signatures::withdraw_all(tx, &instance, "library", &policy)
    });
    assert_eq!(marked.await.unwrap().len(), 1);
    assert_eq!(shown(&bench, &id, &digest).await, "");
    bench.restarted().await.work_off(Which::All).await;
    assert!(signature_layers(&bench, &id, &digest).is_empty());
}

#[tokio::test]
async fn an_image_is_signed_by_hand_and_signed_again_in_its_place() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    bench.policy(&id, ECC_KEY).await;
    sign(&bench, by_hand(&id, "v1")).await.unwrap();
    verify(&bench, &id, &digest, ECC_KEY).await;
    let first = shown(&bench, &id, &digest).await;
    sign(&bench, by_hand(&id, "v1")).await.unwrap();
    verify(&bench, &id, &digest, ECC_KEY).await;
    assert_ne!(shown(&bench, &id, &digest).await, first, "ECDSA never signs the same twice");
}

#[tokio::test]
async fn signing_by_hand_is_refused_by_its_reason() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.push(&id, "library/app", "v1", "content").await;
    assert_eq!(code(sign(&bench, by_hand(&id, "v1")).await), ErrorCode::OperationDenied);
    bench.policy(&id, RSA_KEY).await;
    let missing = ErrorCode::ResourceNotFoundTcrResourceNotFound;
    assert_eq!(code(sign(&bench, by_hand(&id, "v2")).await), missing);
    let elsewhere = CreateSignatureRequest { repository_name: "other".to_owned(), ..by_hand(&id, "v1") };
    assert_eq!(code(sign(&bench, elsewhere).await), missing);
    let elsewhere = CreateSignatureRequest { namespace_name: "other".to_owned(), ..by_hand(&id, "v1") };
    assert_eq!(code(sign(&bench, elsewhere).await), missing);
    assert_eq!(code(sign(&bench, by_hand("tcr-missing1", "v1")).await), ErrorCode::ResourceNotFound);
    for broken in [
        SignerError::KeyDisabled,
        SignerError::NoSuchKey,
        SignerError::UnsuitableUsage,
        SignerError::Unavailable("a secret address".to_owned()),
    ] {
        bench.signer.break_key(RSA_KEY, broken);
        let refused = sign(&bench, by_hand(&id, "v1")).await.unwrap_err();
        assert!(!refused.to_string().contains("address"));
        assert_eq!(code(Err::<(), _>(refused)), ErrorCode::FailedOperationDependenceError);
    }
    bench.signer.mend();
    // Somebody's content under the tag of the signatures is not overwritten.
    let other = bench.push(&id, "library/app", "v2", "two").await;
    let (registry, place) = (bench.tcr.registry(), repository(&id, "library/app"));
    let tag: Reference = format!("sha256-{}.sig", other.hex()).parse().unwrap();
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let media_type = "application/vnd.oci.image.index.v1+json";
    registry.put_manifest(&place, &tag, media_type, Bytes::from(index), Origin::Client(None)).await.unwrap();
    let refused = sign(&bench, by_hand(&id, "v2")).await;
    assert_eq!(code(refused), ErrorCode::InternalErrorErrorTcrResourceConflict);
    let basic = bench.instance("demo2", "basic").await;
    assert_eq!(code(sign(&bench, by_hand(&basic, "v1")).await), ErrorCode::UnsupportedOperation);
}

#[tokio::test]
async fn a_policy_answers_nothing_and_has_four_refusals() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let basic = bench.instance("demo2", "standard").await;
    bench.namespace(&basic, "library", false).await;
    let with = |change: fn(&mut CreateSignaturePolicyRequest)| {
        let mut request = policy_request(&id, RSA_KEY);
        change(&mut request);
        request
    };
    let invalid = ErrorCode::InvalidParameterErrorTcrInvalidParameter;
    let dependence = ErrorCode::FailedOperationDependenceError;
    let cases = [
        (with(|request| request.registry_id = "tcr-missing1".to_owned()), invalid),
        (with(|request| request.namespace_name = "missing".to_owned()), invalid),
        (with(|request| request.name = " ".to_owned()), invalid),
        (with(|request| request.kms_id = String::new()), invalid),
        (with(|request| request.kms_region = "moon".to_owned()), invalid),
        (with(|request| request.domain = Some("https://x.y".to_owned())), invalid),
        (with(|request| request.kms_id = "unknown".to_owned()), dependence),
        (with(|request| request.kms_region = "ap-shanghai".to_owned()), dependence),
        (policy_request(&basic, RSA_KEY), ErrorCode::UnsupportedOperation),
    ];
    for (request, expected) in cases {
        assert_eq!(code(create_signature_policy(&bench.tcr, call(request)).await), expected);
    }
    for broken in [SignerError::KeyDisabled, SignerError::KeyPendingDelete, SignerError::UnsuitableUsage] {
        bench.signer.break_key(RSA_KEY, broken);
        let refused = create_signature_policy(&bench.tcr, call(policy_request(&id, RSA_KEY))).await;
        assert_eq!(code(refused), dependence);
    }
    bench.signer.mend();
    let reply = create_signature_policy(&bench.tcr, call(policy_request(&id, RSA_KEY))).await.unwrap();
    assert_eq!(rookery_api::Structure::to_json(&reply, rookery_api::Nulls::Written), b"{}");
    let second = create_signature_policy(&bench.tcr, call(policy_request(&id, ECC_KEY))).await;
    assert_eq!(code(second), invalid);
    let elsewhere =
        create_signature_policy(&bench.tcr, call_of(UIN, "ap-shanghai", policy_request(&id, RSA_KEY)));
    assert_eq!(code(elsewhere.await), invalid);
}

#[tokio::test]
async fn signatures_are_no_images_and_do_not_outlive_their_image() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let request = || DescribeImagesRequest {
        registry_id: id.clone(),
        namespace_name: "library".to_owned(),
        repository_name: "app".to_owned(),
        ..DescribeImagesRequest::default()
    };
    assert_eq!(describe_images(&bench.tcr, call(request())).await.unwrap().total_count, 1);
    // Deleted by a client of the registry: the attachments follow with the background work.
    let place = repository(&id, "library/app");
    bench.tcr.registry().delete_manifest(&place, &digest, Origin::Client(None)).await.unwrap();
    assert!(!signature_layers(&bench, &id, &digest).is_empty());
    bench.tcr.work_off(Which::Due).await;
    assert!(signature_layers(&bench, &id, &digest).is_empty());
    // An image that came back before that keeps them.
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    bench.tcr.registry().delete_manifest(&place, &digest, Origin::Client(None)).await.unwrap();
    bench.push(&id, "library/app", "v1", "content").await;
    bench.tcr.work_off(Which::Due).await;
    verify(&bench, &id, &digest, RSA_KEY).await;
}

#[tokio::test]
async fn a_client_that_deletes_the_signatures_has_unsigned_the_image() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let tag = Tag::new(format!("sha256-{}.sig", digest.hex())).unwrap();
    let place = repository(&id, "library/app");
    bench.tcr.registry().delete_tag(&place, &tag, Origin::Client(None)).await.unwrap();
    assert_eq!(shown(&bench, &id, &digest).await, "");
    // The next push signs it again.
    bench.push(&id, "library/app", "v1", "content").await;
    verify(&bench, &id, &digest, RSA_KEY).await;
}
