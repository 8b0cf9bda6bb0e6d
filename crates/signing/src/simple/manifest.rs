//! The manifest that lists the signatures of an image, a layer each.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{ExistingError, KEY_ANNOTATION, PAYLOAD_MEDIA_TYPE, SIGNATURE_ANNOTATION};
use crate::artefact::Blob;
use crate::signer::KeyName;

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Written by cosign where it is told to avoid OCI types.
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A signature manifest that can be edited without losing what others put into it.
pub(super) struct SignatureManifest {
    media_type: &'static str,
    config_media_type: String,
    layers: Vec<Layer>,
    /// The members of the manifest that signatures do not need (`annotations`, `subject`), each as it was written.
    rest: BTreeMap<String, Box<RawValue>>,
}

/// One signature.
pub(super) struct Layer {
    /// The descriptor, as it stands or will stand in the manifest.
    descriptor: String,
    /// Its digest. Kept as text: somebody else's layer may use any algorithm.
    digest: String,
    /// The value of [`KEY_ANNOTATION`], where there is one.
    key: Option<String>,
}

/// The members of an image manifest that are understood here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    schema_version: u64,
    media_type: Option<String>,
    config: KnownConfig,
    layers: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownConfig {
    media_type: String,
}

#[derive(Deserialize)]
struct KnownLayer {
    digest: String,
    annotations: Option<BTreeMap<String, String>>,
}

impl SignatureManifest {
    /// A manifest without signatures.
    pub(super) fn empty() -> Self {
        Self {
            media_type: OCI_MANIFEST,
            config_media_type: OCI_CONFIG.to_owned(),
            layers: Vec::new(),
            rest: BTreeMap::new(),
        }
    }

    /// Reads the manifest that is under a signature tag now.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ExistingError> {
        let known: Known = serde_json::from_slice(bytes)?;
        if known.schema_version != 2 {
            return Err(ExistingError::SchemaVersion(known.schema_version));
        }
        let media_type = match known.media_type.as_deref() {
            None | Some(OCI_MANIFEST) => OCI_MANIFEST,
            Some(DOCKER_MANIFEST) => DOCKER_MANIFEST,
            Some(other) => return Err(ExistingError::MediaType(other.to_owned())),
        };
        let mut rest: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(bytes)?;
        rest.retain(|name, _| !matches!(name.as_str(), "schemaVersion" | "mediaType" | "config" | "layers"));
        let layers = known.layers.iter().map(|descriptor| Layer::parse(descriptor));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { media_type, config_media_type: known.config.media_type, layers, rest })
    }

    /// The media type to store the manifest under.
    pub(super) fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// Whether there is no signature.
    pub(super) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Puts a signature in the place of the one that the same key made, or last.
    pub(super) fn put(&mut self, layer: Layer) {
        let place = self.layers.iter().position(|old| old.key == layer.key).unwrap_or(self.layers.len());
        self.layers.retain(|old| old.key != layer.key);
        self.layers.insert(place, layer);
    }

    /// Removes what `key` made; tells whether there was anything.
    pub(super) fn remove(&mut self, key: &KeyName) -> bool {
        let (before, key) = (self.layers.len(), Some(key.to_string()));
        self.layers.retain(|layer| layer.key != key);
        self.layers.len() != before
    }

    /// The config blob: a container image that has the payloads as its layers and nothing else.
    pub(super) fn config(&self) -> Vec<u8> {
        let history = vec![r#"{"created":"0001-01-01T00:00:00Z"}"#; self.layers.len()].join(",");
        let diff_ids: Vec<_> = self.layers.iter().map(|layer| quoted(&layer.digest)).collect();
        format!(
            r#"{{"architecture":"","created":"0001-01-01T00:00:00Z","history":[{history}],"os":"","rootfs":{{"type":"layers","diff_ids":[{}]}},"config":{{}}}}"#,
            diff_ids.join(",")
        )
        .into_bytes()
    }

    /// The manifest's bytes.
    pub(super) fn render(&self, config: &Blob) -> Vec<u8> {
        let layers: Vec<_> = self.layers.iter().map(|layer| layer.descriptor.as_str()).collect();
        let rest: Vec<_> =
            self.rest.iter().map(|(name, value)| format!(",{}:{}", quoted(name), value.get())).collect();
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":{},"size":{},"digest":"{}"}},"layers":[{}]{}}}"#,
            self.media_type,
            quoted(&self.config_media_type),
            config.bytes.len(),
            config.digest,
            layers.join(","),
            rest.concat()
        )
        .into_bytes()
    }
}

impl Layer {
    /// The layer of a payload that `key` has signed.
    pub(super) fn new(payload: &Blob, signature: &[u8], key: &KeyName) -> Self {
        let key = key.to_string();
        let descriptor = format!(
            r#"{{"mediaType":"{PAYLOAD_MEDIA_TYPE}","size":{},"digest":"{}","annotations":{{"{SIGNATURE_ANNOTATION}":"{}","{KEY_ANNOTATION}":{}}}}}"#,
            payload.bytes.len(),
            payload.digest,
            STANDARD.encode(signature),
            quoted(&key)
        );
        Self { descriptor, digest: payload.digest.to_string(), key: Some(key) }
    }

    fn parse(descriptor: &RawValue) -> Result<Self, serde_json::Error> {
        let known: KnownLayer = serde_json::from_str(descriptor.get())?;
        let key = known.annotations.and_then(|mut annotations| annotations.remove(KEY_ANNOTATION));
        Ok(Self { descriptor: descriptor.get().to_owned(), digest: known.digest, key })
    }
}

/// A JSON string literal.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
