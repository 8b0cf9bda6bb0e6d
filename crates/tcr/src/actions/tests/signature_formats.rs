//! The formats of a signature: each is there and verifies with the public key alone, each stands when another fails, and each goes
//! when it has to.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use rookery_api::tcr::{
    CreateSignatureRequest, DeleteImageRequest, DeleteSignaturePolicyRequest, DescribeImagesRequest,
    ErrorCode,
};
use rookery_registry::{Digest, Origin, Reference, Referrer, Tag};
use rookery_signing::{Algorithm, KEY_ANNOTATION, SignerError, bundle, notation};
use rookery_store::{Read as _, Regional};
use serde_json::{Value, json};
use time::Duration;

use super::{Bench, ECC_KEY, FakeSigner, OCI, REGION, RSA_KEY, UIN, call, code, repository};
use crate::actions::image::delete_image::delete_image;
use crate::actions::image::describe_images::describe_images;
use crate::actions::signature::create_signature::create_signature;
use crate::actions::signature::delete_signature_policy::delete_signature_policy;
use crate::error::Error;
use crate::signatures::{SignatureRow, Signatures};
use crate::signing_queue::{PendingRow, SigningQueue, Which};

/// How many signatures an image has in each format.
fn formats(bench: &Bench, id: &str, digest: &Digest) -> (usize, usize, usize) {
    let tag = format!("sha256-{}.sig", digest.hex()).parse().unwrap();
    let manifest = bench.tcr.registry().get_manifest(&repository(id, "library/app"), &tag).unwrap();
    let simple = manifest.map_or(0, |manifest| {
        let manifest: Value = serde_json::from_slice(&manifest.bytes).unwrap();
        manifest["layers"].as_array().map_or(0, Vec::len)
    });
    let count = |kind| referrers(bench, id, digest, kind).len();
    (simple, count(bundle::ARTIFACT_TYPE), count(notation::ARTIFACT_TYPE))
}

fn referrers(bench: &Bench, id: &str, digest: &Digest, artifact_type: &str) -> Vec<Referrer> {
    let repository = repository(id, "library/app");
    bench.tcr.registry().referrers(&repository, digest, Some(artifact_type)).unwrap()
}

/// The one layer of the one referrer of a type, after checking that it names its image.
async fn only_layer(bench: &Bench, id: &str, digest: &Digest, artifact_type: &str) -> Value {
    let referrers = referrers(bench, id, digest, artifact_type);
    assert_eq!(referrers.len(), 1, "{referrers:?}");
    let (registry, place) = (bench.tcr.registry(), repository(id, "library/app"));
    let manifest = registry.get_manifest(&place, &referrers[0].digest.clone().into()).unwrap().unwrap();
    let manifest: Value = serde_json::from_slice(&manifest.bytes).unwrap();
    let image = registry.manifest_info(&place, &digest.clone().into()).unwrap().unwrap();
    assert_eq!(
        manifest["subject"],
        json!({"mediaType": image.media_type, "digest": digest.to_string(), "size": image.size})
    );
    let layer: Digest = manifest["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
    serde_json::from_slice(&registry.blob(&place, &layer, 100_000).await.unwrap().unwrap()).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn accepts(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &str,
    message: &[u8],
    signature: &[u8],
) -> bool {
    UnparsedPublicKey::new(algorithm, FakeSigner::public_key(key)).verify(message, signature).is_ok()
}

/// What cosign does with a bundle.
async fn verify_bundle(bench: &Bench, id: &str, digest: &Digest, key: &str) {
    let layer = only_layer(bench, id, digest, bundle::ARTIFACT_TYPE).await;
    let envelope = &layer["dsseEnvelope"];
    let statement = STANDARD.decode(text(&envelope["payload"])).unwrap();
    let signature = STANDARD.decode(text(&envelope["signatures"][0]["sig"])).unwrap();
    let signed = bundle::pre_authentication_encoding(&statement);
    let algorithm: &'static dyn VerificationAlgorithm =
        if key == RSA_KEY { &RSA_PKCS1_2048_8192_SHA256 } else { &ECDSA_P256_SHA256_ASN1 };
    assert!(accepts(algorithm, key, &signed, &signature));
    let tampered = bundle::pre_authentication_encoding(&[&statement[..], b" "].concat());
    assert!(!accepts(algorithm, key, &tampered, &signature));
    let statement: Value = serde_json::from_slice(&statement).unwrap();
    assert_eq!(statement["subject"], json!([{"digest": {"sha256": digest.hex()}}]));
}

/// What Notation does with an envelope, whose certificate it trusts.
async fn verify_envelope(bench: &Bench, id: &str, digest: &Digest, key: &str) {
    let layer = only_layer(bench, id, digest, notation::ARTIFACT_TYPE).await;
    let signed = format!("{}.{}", text(&layer["protected"]), text(&layer["payload"]));
    let signature = URL_SAFE_NO_PAD.decode(text(&layer["signature"])).unwrap();
    let algorithm: &'static dyn VerificationAlgorithm =
        if key == RSA_KEY { &RSA_PSS_2048_8192_SHA256 } else { &ECDSA_P256_SHA256_FIXED };
    assert!(accepts(algorithm, key, signed.as_bytes(), &signature));
    assert!(!accepts(algorithm, key, format!("{signed}A").as_bytes(), &signature));
    let payload = URL_SAFE_NO_PAD.decode(text(&layer["payload"])).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload["targetArtifact"]["digest"], digest.to_string());
    let certificate = text(&layer["header"]["x5c"][0]).to_owned();
    assert_eq!(certificate, published_certificate(bench, id).await);
}

/// The base64 of the certificate that the namespace's verifiers are given.
async fn published_certificate(bench: &Bench, id: &str) -> String {
    let verification = bench.tcr.verification(id, "library").await.unwrap().unwrap();
    verification.certificate.lines().filter(|line| !line.starts_with('-')).collect()
}

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

async fn sign(bench: &Bench, id: &str, tag: &str) -> Result<(), Error> {
    let request = CreateSignatureRequest {
        registry_id: id.to_owned(),
        namespace_name: "library".to_owned(),
        repository_name: "app".to_owned(),
        image_version: tag.to_owned(),
    };
    create_signature(&bench.tcr, call(request)).await.map(drop)
}

async fn delete_policy(bench: &Bench, id: &str) {
    let request =
        DeleteSignaturePolicyRequest { registry_id: id.to_owned(), namespace_name: "library".to_owned() };
    delete_signature_policy(&bench.tcr, call(request)).await.unwrap();
}

/// Somebody attaches something of a type to an image, with annotations of a kind.
async fn attach(bench: &Bench, id: &str, image: &Digest, artifact_type: &str, key: &str) -> Digest {
    let (registry, repository) = (bench.tcr.registry(), repository(id, "library/app"));
    let empty = registry.put_blob(&repository, Bytes::from_static(b"{}")).await.unwrap();
    let blob = format!(r#"{{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"{empty}"}}"#);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI}","artifactType":"{artifact_type}","config":{blob},"layers":[{blob}],"subject":{{"mediaType":"{OCI}","size":1,"digest":"{image}"}},"annotations":{{"{KEY_ANNOTATION}":"{key}"}}}}"#
    );
    let reference = Digest::sha256(manifest.as_bytes()).into();
    let stored = registry
        .put_manifest(&repository, &reference, OCI, Bytes::from(manifest), Origin::Client(None))
        .await;
    stored.unwrap().digest
}

#[tokio::test]
async fn a_push_is_signed_in_every_format() {
    for key in [RSA_KEY, ECC_KEY] {
        let bench = Bench::new().await;
        let id = bench.library().await;
        bench.policy(&id, key).await;
        let digest = bench.push(&id, "library/app", "v1", "content").await;
        assert_eq!(formats(&bench, &id, &digest), (1, 1, 1));
        verify_bundle(&bench, &id, &digest, key).await;
        verify_envelope(&bench, &id, &digest, key).await;
    }
}

#[tokio::test]
async fn a_push_gets_a_bundle_only_where_the_policy_was_made_with_them() {
    let bench = Bench::with(|options| options.sigstore_bundles = false).await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    assert_eq!(formats(&bench, &id, &digest), (1, 0, 1));
    // Nothing is missing, so nothing waits, and signing by hand adds none either.
    assert!(bench.store.read(|view| view.scan_all::<SigningQueue>()).unwrap().is_empty());
    sign(&bench, &id, "v1").await.unwrap();
    assert_eq!(formats(&bench, &id, &digest), (1, 0, 1));
}

#[tokio::test]
async fn indexes_and_their_children_are_signed_in_every_format() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let (index, child) = super::signing::push_index(&bench, &id, "multi").await;
    for digest in [index, child] {
        assert_eq!(formats(&bench, &id, &digest), (1, 1, 1));
        verify_bundle(&bench, &id, &digest, RSA_KEY).await;
        verify_envelope(&bench, &id, &digest, RSA_KEY).await;
    }
}

#[tokio::test]
async fn signing_again_replaces_the_referrers_of_the_key_and_no_others() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let first = referrers(&bench, &id, &digest, bundle::ARTIFACT_TYPE);
    let foreign = attach(&bench, &id, &digest, bundle::ARTIFACT_TYPE, "somebody's").await;
    for _ in 0..3 {
        bench.world.advance(Duration::seconds(1));
        sign(&bench, &id, "v1").await.unwrap();
    }
    assert_eq!(formats(&bench, &id, &digest), (1, 2, 1));
    verify_envelope(&bench, &id, &digest, RSA_KEY).await;
    let kept: Vec<_> = referrers(&bench, &id, &digest, bundle::ARTIFACT_TYPE)
        .into_iter()
        .map(|referrer| referrer.digest)
        .collect();
    assert!(kept.contains(&foreign) && !kept.contains(&first[0].digest), "{kept:?}");
}

#[tokio::test]
async fn deleting_the_policy_takes_back_every_format_and_nothing_of_others() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let foreign = [
        attach(&bench, &id, &digest, bundle::ARTIFACT_TYPE, "somebody's").await,
        attach(&bench, &id, &digest, notation::ARTIFACT_TYPE, "somebody's").await,
        attach(&bench, &id, &digest, "text/sbom", "somebody's").await,
    ];
    delete_policy(&bench, &id).await;
    assert_eq!(formats(&bench, &id, &digest), (0, 1, 1));
    let place = repository(&id, "library/app");
    let left = bench.tcr.registry().referrers(&place, &digest, None).unwrap();
    assert!(left.len() == 3 && left.iter().all(|referrer| foreign.contains(&referrer.digest)));
    assert!(bench.tcr.verification(&id, "library").await.unwrap().is_none());
}

#[tokio::test]
async fn deleting_the_policy_takes_back_what_a_crash_kept_from_being_noted() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let key = (id.clone(), "library/app".to_owned(), digest.to_string());
    let now = bench.world.now().into();
    let waiting = PendingRow { enqueued_at: now, next_try_at: now, failures: 0, last_error: None };
    let undone = bench.store.write(move |tx| {
        let scope = Regional { uin: UIN, region: REGION.to_owned() };
        tx.delete::<Signatures>(&scope, &key)?;
        tx.put::<SigningQueue>(&scope, &key, &waiting)
    });
    undone.await.unwrap();
    assert_eq!(formats(&bench, &id, &digest), (1, 1, 1));
    delete_policy(&bench, &id).await;
    assert!(pending(&bench).is_empty());
    assert_eq!(formats(&bench, &id, &digest), (0, 0, 0));
}

#[tokio::test]
async fn a_new_policy_signs_beside_nothing_of_an_old_one() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    // The process ends between the transaction that deletes a policy and the work that follows it.
    let place = id.clone();
    let marked = bench.store.write(move |tx| {
        let instance = crate::instances::find(tx, &place)?.unwrap();
        let policy = crate::signature_policies::find(tx, &instance, "library")?.unwrap();
        let key = (place.clone(), "library".to_owned());
        tx.delete::<crate::signature_policies::SignaturePolicies>(&instance.scope, &key)?;
        crate::signatures::withdraw_all(tx, &instance, "library", &policy)
    });
    assert_eq!(marked.await.unwrap().len(), 1);
    bench.policy(&id, ECC_KEY).await;
    sign(&bench, &id, "v1").await.unwrap();
    assert_eq!(formats(&bench, &id, &digest), (1, 1, 1));
    verify_bundle(&bench, &id, &digest, ECC_KEY).await;
    verify_envelope(&bench, &id, &digest, ECC_KEY).await;
}

#[tokio::test]
async fn a_deleted_image_takes_every_format_along() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let place = repository(&id, "library/app");
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    bench.tcr.registry().delete_manifest(&place, &digest, Origin::Client(None)).await.unwrap();
    bench.tcr.work_off(Which::Due).await;
    assert_eq!(formats(&bench, &id, &digest), (0, 0, 0));
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    assert_eq!(formats(&bench, &id, &digest), (1, 1, 1));
    let request = DeleteImageRequest {
        registry_id: id.clone(),
        namespace_name: "library".to_owned(),
        repository_name: "app".to_owned(),
        image_version: "v1".to_owned(),
    };
    delete_image(&bench.tcr, call(request)).await.unwrap();
    bench.tcr.work_off(Which::Due).await;
    assert_eq!(formats(&bench, &id, &digest), (0, 0, 0));
}

#[tokio::test]
async fn a_format_that_fails_is_made_later_and_the_others_stand() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    *bench.signer.missing.lock() = Some(Algorithm::RsaPssSha256);
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    assert_eq!(formats(&bench, &id, &digest), (1, 1, 0));
    let signature = shown(&bench, &id, &digest).await;
    assert!(!signature.is_empty());
    assert_eq!(pending(&bench)[0].failures, 1);
    let told = bench.tcr.verification(&id, "library").await.unwrap().unwrap().pending;
    assert_eq!((told.len(), told[0].digest.as_str(), told[0].failures), (1, digest.as_str(), 1));
    assert!(told[0].last_error.as_deref().unwrap().contains("not offered"), "{told:?}");
    // By hand the failure is told, and what can be made is made.
    assert_eq!(code(sign(&bench, &id, "v1").await), ErrorCode::FailedOperationDependenceError);
    assert_eq!(formats(&bench, &id, &digest), (1, 1, 0));
    bench.signer.mend();
    let bundles = referrers(&bench, &id, &digest, bundle::ARTIFACT_TYPE);
    let before = *bench.signer.signed.lock();
    bench.world.advance(Duration::seconds(5));
    bench.tcr.work_off(Which::Due).await;
    assert!(pending(&bench).is_empty());
    assert_eq!(formats(&bench, &id, &digest), (1, 1, 1));
    verify_envelope(&bench, &id, &digest, RSA_KEY).await;
    // Only what was missing has been made.
    assert_eq!(*bench.signer.signed.lock(), before + 1);
    assert_eq!(referrers(&bench, &id, &digest, bundle::ARTIFACT_TYPE), bundles);
    assert_eq!(shown(&bench, &id, &digest).await, signature);
}

#[tokio::test]
async fn a_signature_tag_that_is_taken_keeps_no_other_format_away() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let (registry, place) = (bench.tcr.registry(), repository(&id, "library/app"));
    let tag: Reference = format!("sha256-{}.sig", digest.hex()).parse().unwrap();
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[]}}"#);
    registry.put_manifest(&place, &tag, media_type, Bytes::from(index), Origin::Client(None)).await.unwrap();
    bench.policy(&id, RSA_KEY).await;
    let conflict = ErrorCode::InternalErrorErrorTcrResourceConflict;
    assert_eq!(code(sign(&bench, &id, "v1").await), conflict);
    assert_eq!(formats(&bench, &id, &digest), (0, 1, 1));
    assert_eq!(shown(&bench, &id, &digest).await, "");
    delete_policy(&bench, &id).await;
    assert_eq!(formats(&bench, &id, &digest), (0, 0, 0));
    assert!(registry.get_manifest(&place, &tag).unwrap().is_some());
}

#[tokio::test]
async fn images_signed_before_there_were_formats_get_what_they_lack() {
    let old = r#"{"signature":"b2xk","kms_id":"KEY","kms_region":"ap-guangzhou","docker_reference":"demo1.cr.localhost/library/app","made_at":1733839496806284,"withdrawing":false}"#;
    let row: SignatureRow = serde_json::from_str(&old.replace("KEY", RSA_KEY)).unwrap();
    let bench = Bench::new().await;
    let id = bench.library().await;
    let pushed = bench.push(&id, "library/app", "v1", "one").await;
    let by_hand = bench.push(&id, "library/app", "v2", "two").await;
    bench.policy(&id, RSA_KEY).await;
    for digest in [&pushed, &by_hand] {
        let key = (id.clone(), "library/app".to_owned(), digest.to_string());
        let (scope, row) = (Regional { uin: UIN, region: REGION.to_owned() }, row.clone());
        bench.store.write(move |tx| tx.put::<Signatures>(&scope, &key, &row)).await.unwrap();
        assert_eq!(shown(&bench, &id, digest).await, "b2xk");
    }
    bench.push(&id, "library/app", "v1", "one").await;
    assert_eq!(formats(&bench, &id, &pushed), (0, 1, 1), "what is said to be there is not made again");
    assert_eq!(shown(&bench, &id, &pushed).await, "b2xk");
    sign(&bench, &id, "v2").await.unwrap();
    assert_eq!(formats(&bench, &id, &by_hand), (1, 1, 1));
    assert_ne!(shown(&bench, &id, &by_hand).await, "b2xk");
}

#[tokio::test]
async fn what_a_client_deletes_is_made_again_by_the_next_push() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let signature = shown(&bench, &id, &digest).await;
    let (registry, place) = (bench.tcr.registry(), repository(&id, "library/app"));
    for artifact_type in [bundle::ARTIFACT_TYPE, notation::ARTIFACT_TYPE] {
        let referrer = referrers(&bench, &id, &digest, artifact_type).pop().unwrap();
        registry.delete_manifest(&place, &referrer.digest, Origin::Client(None)).await.unwrap();
        assert!(referrers(&bench, &id, &digest, artifact_type).is_empty());
        bench.push(&id, "library/app", "v1", "content").await;
        assert_eq!(formats(&bench, &id, &digest), (1, 1, 1));
        assert_eq!(shown(&bench, &id, &digest).await, signature);
    }
    // Without the tag the referrers are still the policy's, and go with it.
    let tag = Tag::new(format!("sha256-{}.sig", digest.hex())).unwrap();
    registry.delete_tag(&place, &tag, Origin::Client(None)).await.unwrap();
    assert_eq!(shown(&bench, &id, &digest).await, "");
    delete_policy(&bench, &id).await;
    assert_eq!(formats(&bench, &id, &digest), (0, 0, 0));
}

#[tokio::test]
async fn what_hangs_on_an_image_is_not_signed_by_hand_either() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    bench.policy(&id, RSA_KEY).await;
    let digest = bench.push(&id, "library/app", "v1", "content").await;
    let referrer = referrers(&bench, &id, &digest, notation::ARTIFACT_TYPE).pop().unwrap().digest;
    let refused = sign(&bench, &id, referrer.as_str()).await;
    assert_eq!(code(refused), ErrorCode::OperationDenied);
    let refused = sign(&bench, &id, &format!("sha256-{}.sig", digest.hex())).await;
    assert_eq!(code(refused), ErrorCode::OperationDenied);
    assert_eq!(formats(&bench, &id, &referrer), (0, 0, 0));
}

#[tokio::test]
async fn verifiers_are_given_the_same_certificate_whatever_happens() {
    let bench = Bench::new().await;
    let id = bench.library().await;
    assert!(bench.tcr.verification(&id, "library").await.unwrap().is_none());
    assert!(bench.tcr.verification("tcr-missing1", "library").await.unwrap().is_none());
    bench.policy(&id, ECC_KEY).await;
    bench.signer.break_key(ECC_KEY, SignerError::Unavailable("down".to_owned()));
    let told = bench.tcr.verification(&id, "library").await.unwrap_err().to_string();
    assert!(told.contains("down"), "{told}");
    bench.signer.mend();

    let first = bench.tcr.verification(&id, "library").await.unwrap().unwrap();
    assert_eq!((first.policy.as_str(), first.enabled), ("library 加签", true));
    assert_eq!(first.signed_as, "demo1.cr.localhost/library");
    assert_eq!(first.key, format!("qcs::kms:{REGION}:uin/{UIN}:key/{ECC_KEY}"));
    assert_eq!(first.subject, format!("C=CN, ST={REGION}, O=uin {UIN}, CN={ECC_KEY}"));
    let policy = &first.trust_policy["trustPolicies"][0];
    assert_eq!(policy["trustedIdentities"], json!([format!("x509.subject: {}", first.subject)]));
    assert!(first.public_key.starts_with("-----BEGIN PUBLIC KEY-----\n"));
    assert!(first.pending.is_empty());

    bench.world.advance(Duration::days(400));
    assert_eq!(bench.restarted().await.verification(&id, "library").await.unwrap().unwrap(), first);
    // Neither a policy made anew nor a key that is gone changes what is trusted.
    delete_policy(&bench, &id).await;
    bench.policy(&id, ECC_KEY).await;
    bench.signer.break_key(ECC_KEY, SignerError::NoSuchKey);
    assert_eq!(bench.tcr.verification(&id, "library").await.unwrap().unwrap(), first);
}
