//! Byte vectors, and what adding, replacing and removing signatures leaves behind.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const REFERENCE: &str = "nicokang-tcr-gz.tencentcloudcr.com/team-01/nginx";
const IMAGE: &str = "sha256:a1801b843b1bfaf77c501e7a6d3f709401a1e0c83863037fa3aab063a7fdb9dc";
const PAYLOAD: &str = r#"{"critical":{"identity":{"docker-reference":"nicokang-tcr-gz.tencentcloudcr.com/team-01/nginx"},"image":{"docker-manifest-digest":"sha256:a1801b843b1bfaf77c501e7a6d3f709401a1e0c83863037fa3aab063a7fdb9dc"},"type":"cosign container image signature"},"optional":null}"#;
const CONFIG: &str = r#"{"architecture":"","created":"0001-01-01T00:00:00Z","history":[{"created":"0001-01-01T00:00:00Z"}],"os":"","rootfs":{"type":"layers","diff_ids":["sha256:e4f872ebb50c511d3d199aa40800034d7808b8e64abbfdebd72c2d77131dde52"]},"config":{}}"#;
const FOREIGN_LAYER: &str = r#"{"size": 12, "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": "sha512:ab", "annotations": {"dev.sigstore.cosign/bundle": "{\"a\":1.50}"}}"#;

fn image() -> Digest {
    IMAGE.parse().unwrap()
}

fn key(id: &str) -> KeyName {
    KeyName { account: 1_000_000, region: "ap-guangzhou".into(), id: id.into() }
}

/// The artefact of one more signature; the content of payload and signature does not matter here.
fn signed(existing: Option<&[u8]>, id: &str, raw: &[u8]) -> Artefact {
    artefact(existing, &image(), Signature { payload: PAYLOAD.as_bytes(), raw, key: &key(id) }).unwrap()
}

fn annotations(manifest: &[u8]) -> Vec<(String, String)> {
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    let layers = manifest["layers"].as_array().unwrap().iter();
    let text = |layer: &Value, name| layer["annotations"][name].as_str().unwrap_or("-").to_owned();
    layers.map(|layer| (text(layer, KEY_ANNOTATION), text(layer, SIGNATURE_ANNOTATION))).collect()
}

/// What must hold of every artefact: the manifest names the config that comes with it, and the config lists the layers.
fn assert_consistent(artefact: &Artefact) {
    let manifest: Value = serde_json::from_slice(&artefact.manifest).unwrap();
    let config = artefact.blobs.last().unwrap();
    assert_eq!(manifest["config"]["digest"], config.digest.to_string());
    assert_eq!(manifest["config"]["size"], config.bytes.len());
    assert_eq!(manifest["mediaType"], artefact.media_type);
    let config: Value = serde_json::from_slice(&config.bytes).unwrap();
    let digests: Vec<_> =
        manifest["layers"].as_array().unwrap().iter().map(|layer| layer["digest"].clone()).collect();
    assert_eq!(config["rootfs"]["diff_ids"], Value::from(digests.clone()));
    assert_eq!(config["history"].as_array().unwrap().len(), digests.len());
    for blob in &artefact.blobs {
        assert_eq!(blob.digest, Digest::of(&blob.bytes));
    }
}

#[test]
fn the_payload_is_the_known_one() {
    let bytes = payload(REFERENCE, &image());
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), PAYLOAD);
    assert_eq!(bytes.len(), 264);
    assert_eq!(Digest::of(&bytes).hex(), "e4f872ebb50c511d3d199aa40800034d7808b8e64abbfdebd72c2d77131dde52");
}

#[test]
fn the_config_is_the_known_one() {
    let artefact = signed(None, "a", b"raw");
    let config = artefact.blobs.last().unwrap();
    assert_eq!(String::from_utf8(config.bytes.clone()).unwrap(), CONFIG);
    assert_eq!(config.bytes.len(), 233);
    assert_eq!(config.digest.hex(), "0b8f4b3020161bb4c8979b216e8f4fbeff382998d0e3cced982b81f494619b89");
}

#[test]
fn the_tag_is_the_known_one() {
    assert_eq!(tag(&image()), "sha256-a1801b843b1bfaf77c501e7a6d3f709401a1e0c83863037fa3aab063a7fdb9dc.sig");
}

#[test]
fn a_first_signature_makes_the_whole_artefact() {
    let artefact = signed(None, "a", b"raw");
    let expected = concat!(
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
        r#""config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":233,"#,
        r#""digest":"sha256:0b8f4b3020161bb4c8979b216e8f4fbeff382998d0e3cced982b81f494619b89"},"#,
        r#""layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","size":264,"#,
        r#""digest":"sha256:e4f872ebb50c511d3d199aa40800034d7808b8e64abbfdebd72c2d77131dde52","#,
        r#""annotations":{"dev.cosignproject.cosign/signature":"cmF3","#,
        r#""dev.rookery.signature.key":"qcs::kms:ap-guangzhou:uin/1000000:key/a"}}]}"#
    );
    assert_eq!(String::from_utf8(artefact.manifest.clone()).unwrap(), expected);
    assert_eq!(artefact.media_type, "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(artefact.tag, Some(tag(&image())));
    assert_eq!(artefact.blobs.first().unwrap().bytes, PAYLOAD.as_bytes());
    assert_consistent(&artefact);
}

#[test]
fn another_key_is_added_and_the_same_key_is_replaced_in_its_place() {
    let first = signed(None, "a", b"1");
    let both = signed(Some(&first.manifest), "b", b"2");
    let again = signed(Some(&both.manifest), "a", b"3");
    assert_consistent(&both);
    assert_consistent(&again);
    let (a, b) = (key("a").to_string(), key("b").to_string());
    assert_eq!(annotations(&both.manifest), [(a.clone(), "MQ==".into()), (b.clone(), "Mg==".into())]);
    assert_eq!(annotations(&again.manifest), [(a, "Mw==".into()), (b, "Mg==".into())]);
}

#[test]
fn signing_again_with_the_same_outcome_changes_no_byte() {
    let both = signed(Some(&signed(None, "a", b"1").manifest), "b", b"2");
    assert_eq!(signed(Some(&both.manifest), "a", b"1").manifest, both.manifest);
}

#[test]
fn the_same_key_id_in_another_region_or_account_is_another_key() {
    let first = signed(None, "a", b"1");
    for other in
        [KeyName { region: "ap-shanghai".into(), ..key("a") }, KeyName { account: 1_000_001, ..key("a") }]
    {
        let signature = Signature { payload: b"p", raw: b"2", key: &other };
        let both = artefact(Some(&first.manifest), &image(), signature).unwrap();
        assert_eq!(annotations(&both.manifest).len(), 2);
    }
}

#[test]
fn what_others_wrote_is_kept_byte_for_byte() {
    let existing = format!(
        r#"{{"annotations":{{"k": "v"}},"schemaVersion":2,"layers":[{FOREIGN_LAYER}],"config":{{"mediaType":"x/y","size":1,"digest":"d"}}}}"#
    );
    let artefact = signed(Some(existing.as_bytes()), "a", b"1");
    assert_consistent(&artefact);
    let text = String::from_utf8(artefact.manifest.clone()).unwrap();
    assert!(text.contains(&format!(r#""layers":[{FOREIGN_LAYER},"#)), "{text}");
    assert!(text.ends_with(r#"],"annotations":{"k": "v"}}"#), "{text}");
    assert!(text.contains(r#""config":{"mediaType":"x/y","#), "{text}");

    let Remainder::Others(rest) = without(&artefact.manifest, &image(), &key("a")).unwrap() else {
        panic!("the foreign signature remains");
    };
    assert_consistent(&rest);
    assert_eq!(annotations(&rest.manifest), [("-".to_owned(), "-".to_owned())]);
    assert!(String::from_utf8(rest.manifest).unwrap().contains(FOREIGN_LAYER));
}

#[test]
fn a_docker_manifest_keeps_its_media_types() {
    let existing = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": "d"},
        "layers": []
    });
    let artefact = signed(Some(existing.to_string().as_bytes()), "a", b"1");
    assert_eq!(artefact.media_type, "application/vnd.docker.distribution.manifest.v2+json");
    assert_consistent(&artefact);
    let manifest: Value = serde_json::from_slice(&artefact.manifest).unwrap();
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.docker.container.image.v1+json");
}

#[test]
fn removing_leaves_other_keys_or_nothing_or_changes_nothing() {
    let first = signed(None, "a", b"1");
    let both = signed(Some(&first.manifest), "b", b"2");

    assert_eq!(without(&first.manifest, &image(), &key("b")).unwrap(), Remainder::Unchanged);
    assert_eq!(without(&first.manifest, &image(), &key("a")).unwrap(), Remainder::Nothing);
    let Remainder::Others(rest) = without(&both.manifest, &image(), &key("b")).unwrap() else {
        panic!("the signature of the other key remains");
    };
    assert_eq!(rest.manifest, first.manifest);
    assert_eq!(rest.tag, first.tag);
    // The payload is in the repository already; only the config is new.
    assert_eq!(rest.blobs, first.blobs[1..]);
}

#[test]
fn what_is_no_signature_manifest_is_neither_added_to_nor_removed_from() {
    type Expected = fn(&ExistingError) -> bool;
    let config = r#""config":{"mediaType":"x/y"}"#;
    let cases: [(String, Expected); 8] = [
        ("not json".into(), |error| matches!(error, ExistingError::Malformed(_))),
        ("[]".into(), |error| matches!(error, ExistingError::Malformed(_))),
        (r#"{"schemaVersion":2,"manifests":[]}"#.into(), |error| {
            matches!(error, ExistingError::Malformed(_))
        }),
        (r#"{"schemaVersion":2,"layers":[]}"#.into(), |error| matches!(error, ExistingError::Malformed(_))),
        (format!(r#"{{"schemaVersion":2,{config},"layers":[{{}}]}}"#), |error| {
            matches!(error, ExistingError::Malformed(_))
        }),
        (
            format!(r#"{{"schemaVersion":2,{config},"layers":[{{"digest":"d","annotations":{{"a":1}}}}]}}"#),
            |error| matches!(error, ExistingError::Malformed(_)),
        ),
        (format!(r#"{{"schemaVersion":1,{config},"layers":[]}}"#), |error| {
            matches!(error, ExistingError::SchemaVersion(1))
        }),
        (
            format!(r#"{{"schemaVersion":2,"mediaType":"image/png",{config},"layers":[]}}"#),
            |error| matches!(error, ExistingError::MediaType(found) if found == "image/png"),
        ),
    ];
    for (existing, expected) in cases {
        let signature = Signature { payload: b"p", raw: b"1", key: &key("a") };
        let added = artefact(Some(existing.as_bytes()), &image(), signature).unwrap_err();
        let removed = without(existing.as_bytes(), &image(), &key("a")).unwrap_err();
        assert!(expected(&added) && expected(&removed), "{existing}: {added}");
    }
}

proptest! {
    #[test]
    fn any_reference_reads_back_from_the_payload(reference: String) {
        let payload: Value = serde_json::from_slice(&payload(&reference, &image())).unwrap();
        prop_assert_eq!(payload, json!({
            "critical": {
                "identity": {"docker-reference": reference},
                "image": {"docker-manifest-digest": IMAGE},
                "type": "cosign container image signature"
            },
            "optional": null
        }));
    }

    #[test]
    fn any_key_name_is_found_again(region: String, id: String, raw: Vec<u8>) {
        let key = KeyName { account: 1, region, id };
        let signature = Signature { payload: b"p", raw: &raw, key: &key };
        let artefact = artefact(None, &image(), signature).unwrap();
        assert_consistent(&artefact);
        prop_assert_eq!(without(&artefact.manifest, &image(), &key).unwrap(), Remainder::Nothing);
    }

    #[test]
    fn no_bytes_under_a_signature_tag_break_the_reader(bytes: Vec<u8>) {
        prop_assert!(without(&bytes, &image(), &key("a")).is_err());
    }
}
