//! Signatures that are referrers: an image manifest of one layer whose `subject` is the signed manifest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::{OffsetDateTime, UtcOffset};

use crate::artefact::{Artefact, Blob, KEY_ANNOTATION};
use crate::digest::Digest;
use crate::signer::KeyName;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const CREATED_ANNOTATION: &str = "org.opencontainers.image.created";

/// The manifest that is signed, as a descriptor names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its media type, exactly as the registry serves it.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

impl Subject {
    /// The descriptor, its members in the order in which Go's OCI types are written.
    pub(crate) fn descriptor(&self) -> String {
        let media_type = Value::from(self.media_type.as_str());
        format!(r#"{{"mediaType":{media_type},"digest":"{}","size":{}}}"#, self.digest, self.size)
    }
}

/// A referrer to be.
pub(crate) struct Referrer<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) artifact_type: &'a str,
    pub(crate) layer_media_type: &'a str,
    pub(crate) layer: Vec<u8>,
    /// What the format says in annotations.
    pub(crate) annotations: &'a [(&'a str, &'a str)],
    pub(crate) key: &'a KeyName,
    pub(crate) created: OffsetDateTime,
}

impl Referrer<'_> {
    pub(crate) fn artefact(self) -> Artefact {
        let (layer, config) = (Blob::new(self.layer), Blob::new(b"{}".to_vec()));
        let (key, created) = (self.key.to_string(), rfc3339(self.created));
        let ours = [(CREATED_ANNOTATION, created.as_str()), (KEY_ANNOTATION, key.as_str())];
        let annotations = self.annotations.iter().copied().chain(ours);
        let annotations: Vec<_> = annotations
            .map(|(name, value)| format!("{}:{}", Value::from(name), Value::from(value)))
            .collect();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","artifactType":"{}","config":{{"mediaType":"{EMPTY}","digest":"{}","size":{},"data":"{}"}},"layers":[{{"mediaType":"{}","digest":"{}","size":{}}}],"subject":{},"annotations":{{{}}}}}"#,
            self.artifact_type,
            config.digest,
            config.bytes.len(),
            STANDARD.encode(&config.bytes),
            self.layer_media_type,
            layer.digest,
            layer.bytes.len(),
            self.subject.descriptor(),
            annotations.join(",")
        );
        Artefact {
            blobs: vec![config, layer],
            manifest: manifest.into_bytes(),
            media_type: MANIFEST,
            tag: None,
        }
    }
}

/// `2025-11-22T02:51:00Z`: whole seconds in UTC, what the formats want.
pub(crate) fn rfc3339(moment: OffsetDateTime) -> String {
    let utc = moment.to_offset(UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        utc.year(),
        u8::from(utc.month()),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn moments_are_whole_seconds_in_utc() {
        assert_eq!(rfc3339(datetime!(2025-11-22 10:51:00.9 +8)), "2025-11-22T02:51:00Z");
        assert_eq!(rfc3339(datetime!(0099-01-02 03:04:05 UTC)), "0099-01-02T03:04:05Z");
    }

    #[test]
    fn the_manifest_has_every_member_of_a_referrer() {
        let subject = Subject { media_type: "a/\"b\"".to_owned(), digest: Digest::of(b"image"), size: 7 };
        let referrer = Referrer {
            subject: &subject,
            artifact_type: "text/type",
            layer_media_type: "text/layer",
            layer: b"content".to_vec(),
            annotations: &[("name", "[\"value\"]")],
            key: &KeyName { account: 1, region: "ap-guangzhou".into(), id: "a".into() },
            created: datetime!(2025-11-22 02:51:00 UTC),
        };
        let artefact = referrer.artefact();
        let manifest: Value = serde_json::from_slice(&artefact.manifest).unwrap();
        let layer = Digest::of(b"content").to_string();
        assert_eq!(
            manifest,
            serde_json::json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "artifactType": "text/type",
                "config": {
                    "mediaType": "application/vnd.oci.empty.v1+json",
                    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                    "size": 2,
                    "data": "e30="
                },
                "layers": [{"mediaType": "text/layer", "digest": layer, "size": 7}],
                "subject": {"mediaType": "a/\"b\"", "digest": Digest::of(b"image").to_string(), "size": 7},
                "annotations": {
                    "name": "[\"value\"]",
                    "org.opencontainers.image.created": "2025-11-22T02:51:00Z",
                    "dev.rookery.signature.key": "qcs::kms:ap-guangzhou:uin/1:key/a"
                }
            })
        );
        assert_eq!((artefact.media_type, artefact.tag), ("application/vnd.oci.image.manifest.v1+json", None));
        let blobs: Vec<_> = artefact.blobs.iter().map(|blob| blob.bytes.as_slice()).collect();
        assert_eq!(blobs, [b"{}".as_slice(), b"content"]);
    }
}
