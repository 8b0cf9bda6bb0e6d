//! Reading a manifest: what the registry has to know of it. The bytes themselves are kept as they came.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::errors::Error;

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an OCI index, which the referrers API answers with.
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's first manifest format signs itself inside its own bytes; no client of today writes it.
const DOCKER_FIRST: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
];

/// Layers of these types may stay where their owner keeps them.
const NOT_DISTRIBUTABLE: [&str; 2] = [
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
];

/// A reference to content within a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

impl Descriptor {
    /// Whether the repository must hold the content.
    pub(crate) fn is_required(&self) -> bool {
        !NOT_DISTRIBUTABLE.iter().any(|prefix| self.media_type.starts_with(prefix))
    }
}

/// What a manifest says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Document {
    /// `artifactType`, else the media type of the config.
    pub(crate) artifact_type: Option<String>,
    pub(crate) config: Option<Descriptor>,
    pub(crate) layers: Vec<Descriptor>,
    pub(crate) children: Vec<Descriptor>,
    pub(crate) subject: Option<Digest>,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// The fields as they stand in the JSON; whatever else there is, is left alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: Option<u64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<RawDescriptor>,
    layers: Option<Vec<RawDescriptor>>,
    manifests: Option<Vec<RawDescriptor>>,
    subject: Option<RawDescriptor>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDescriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
}

impl RawDescriptor {
    fn check(self) -> Result<Descriptor, Error> {
        let digest = self.digest.parse().map_err(|error| invalid(format!("descriptor: {error}")))?;
        Ok(Descriptor { media_type: self.media_type, digest, size: self.size })
    }
}

fn invalid(what: impl Into<String>) -> Error {
    Error::ManifestInvalid(what.into())
}

impl Document {
    /// Reads a manifest of `content_type` (without parameters); without one, of the type that the manifest names itself.
    /// Returns the media type with it. A type that this registry does not know is taken as it is, as long as it is a JSON
    /// object.
    pub(crate) fn parse(content_type: Option<&str>, text: &str) -> Result<(String, Self), Error> {
        let value: Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        let Value::Object(object) = &value else { return Err(invalid("not a JSON object")) };
        let named = object.get("mediaType").and_then(Value::as_str).map(str::to_owned);
        let media_type = match (content_type, named) {
            (Some(header), Some(named)) if header != named => {
                return Err(invalid(format!("mediaType {named} does not match the content type {header}")));
            }
            (Some(header), _) => header.to_owned(),
            (None, Some(named)) => named,
            (None, None) => return Err(invalid("no media type")),
        };
        if !is_media_type(&media_type) {
            return Err(invalid("malformed media type"));
        }
        let document = match media_type.as_str() {
            OCI_MANIFEST | DOCKER_MANIFEST => Self::image(value)?,
            OCI_INDEX | DOCKER_LIST => Self::index(value)?,
            first if DOCKER_FIRST.contains(&first) => {
                return Err(invalid("schema 1 manifests are not taken"));
            }
            _ => Self::unknown(value),
        };
        Ok((media_type, document))
    }

    fn image(value: Value) -> Result<Self, Error> {
        let raw = strict(value)?;
        if raw.config.is_none() {
            return Err(invalid("config is missing"));
        }
        Self::from_raw(raw)
    }

    fn index(value: Value) -> Result<Self, Error> {
        let raw = strict(value)?;
        if raw.manifests.is_none() {
            return Err(invalid("manifests is missing"));
        }
        Self::from_raw(raw)
    }

    /// Fields of other shapes than the known ones mean something else in an unknown type.
    fn unknown(value: Value) -> Self {
        serde_json::from_value::<Raw>(value).ok().and_then(|raw| Self::from_raw(raw).ok()).unwrap_or_default()
    }

    fn from_raw(raw: Raw) -> Result<Self, Error> {
        let all = |descriptors: Option<Vec<RawDescriptor>>| -> Result<Vec<_>, Error> {
            descriptors.unwrap_or_default().into_iter().map(RawDescriptor::check).collect()
        };
        let config = raw.config.map(RawDescriptor::check).transpose()?;
        let from_config = || config.as_ref().map(|config| config.media_type.clone());
        Ok(Self {
            artifact_type: raw.artifact_type.filter(|kind| !kind.is_empty()).or_else(from_config),
            layers: all(raw.layers)?,
            children: all(raw.manifests)?,
            subject: raw.subject.map(RawDescriptor::check).transpose()?.map(|subject| subject.digest),
            annotations: raw.annotations.unwrap_or_default(),
            config,
        })
    }
}

/// `type/subtype` of the characters that RFC 6838 lets a media type have, so that it can be sent back as a header.
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        (1..=127).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

/// The fields of a known type, which must have the known shapes.
fn strict(value: Value) -> Result<Raw, Error> {
    let raw: Raw = serde_json::from_value(value).map_err(|error| invalid(error.to_string()))?;
    if raw.schema_version != Some(2) {
        return Err(invalid("schemaVersion is not 2"));
    }
    if raw.media_type.as_deref() == Some("") {
        return Err(invalid("mediaType is empty"));
    }
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn descriptor(media_type: &str, of: &[u8]) -> Value {
        json!({"mediaType": media_type, "digest": Digest::sha256(of).as_str(), "size": of.len()})
    }

    fn parse(content_type: &str, value: &Value) -> Result<Document, Error> {
        Document::parse(Some(content_type), &value.to_string()).map(|(_, document)| document)
    }

    #[test]
    fn an_image_is_read() {
        let document = parse(
            OCI_MANIFEST,
            &json!({
                "schemaVersion": 2, "config": descriptor("application/x", b"{}"), "unknown": [1],
                "layers": [descriptor("application/y", b"layer")], "subject": descriptor(OCI_MANIFEST, b"s"),
                "annotations": {"a": "b"},
            }),
        )
        .expect("valid");
        assert_eq!(document.artifact_type.as_deref(), Some("application/x"));
        assert_eq!(document.layers[0].size, 5);
        assert_eq!(document.subject, Some(Digest::sha256(b"s")));
        assert_eq!(document.annotations["a"], "b");
    }

    #[test]
    fn its_own_artifact_type_comes_first_and_an_index_may_have_none() {
        let image = json!({
            "schemaVersion": 2, "artifactType": "application/a", "config": descriptor("application/x", b"{}"), "layers": [],
        });
        assert_eq!(
            parse(OCI_MANIFEST, &image).expect("valid").artifact_type.as_deref(),
            Some("application/a")
        );
        let index = json!({"schemaVersion": 2, "manifests": []});
        assert_eq!(parse(OCI_INDEX, &index).expect("valid").artifact_type, None);
    }

    #[test]
    fn foreign_layers_are_not_required() {
        let foreign = [
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        ];
        for media_type in foreign {
            let layer = Descriptor { media_type: media_type.into(), digest: Digest::sha256(b""), size: 0 };
            assert!(!layer.is_required(), "{media_type}");
        }
    }

    #[test]
    fn unknown_types_are_taken_whatever_their_fields_are() {
        let odd = json!({"layers": "many", "config": 7});
        assert_eq!(parse("application/odd+json", &odd).expect("taken"), Document::default());
        let like_an_image = json!({"layers": [descriptor("x", b"1")]});
        assert_eq!(parse("application/odd+json", &like_an_image).expect("taken").layers.len(), 1);
    }

    #[test]
    fn the_manifest_may_name_its_type() {
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).to_string();
        assert_eq!(Document::parse(None, &index).expect("valid").0, OCI_INDEX);
        assert!(Document::parse(Some(OCI_MANIFEST), &index).is_err());
        assert!(Document::parse(None, r#"{"schemaVersion":2}"#).is_err());
    }

    #[test]
    fn malformed_manifests_are_refused() {
        let config = descriptor("x", b"{}");
        for (content_type, value) in [
            (OCI_MANIFEST, json!([])),
            (OCI_MANIFEST, json!({"schemaVersion": 2, "layers": []})),
            (OCI_MANIFEST, json!({"schemaVersion": 1, "config": config, "layers": []})),
            (OCI_MANIFEST, json!({"config": config, "layers": []})),
            (OCI_MANIFEST, json!({"schemaVersion": 2, "config": config, "layers": [{"size": 1}]})),
            (
                OCI_MANIFEST,
                json!({"schemaVersion": 2, "config": config, "layers": [{"digest": "sha256:x", "size": 1}]}),
            ),
            (OCI_MANIFEST, json!({"schemaVersion": 2, "config": {"digest": "md5:00", "size": 1}})),
            (OCI_INDEX, json!({"schemaVersion": 2})),
            (
                DOCKER_MANIFEST,
                json!({"schemaVersion": 2, "config": {"digest": Digest::sha256(b"").as_str(), "size": -1}}),
            ),
            (DOCKER_FIRST[1], json!({"schemaVersion": 1, "fsLayers": []})),
        ] {
            assert!(
                matches!(parse(content_type, &value), Err(Error::ManifestInvalid(_))),
                "{content_type} {value}"
            );
        }
        assert!(matches!(Document::parse(Some(OCI_MANIFEST), "{"), Err(Error::ManifestInvalid(_))));
    }

    proptest! {
        #[test]
        fn nothing_breaks_the_reader(text in "\\PC{0,80}", known: bool) {
            let content_type = if known { OCI_MANIFEST } else { "application/odd" };
            let _ = Document::parse(Some(content_type), &text);
        }
    }
}
