//! Images as `DescribeImages` counts them: one for each tag of a repository. Tags that hold the signatures of an image
//! (`sha256-<hex>.sig`) are no images; what they hold shows as `KmsSignature` of the image itself.

use rookery_api::tcr::TcrImageInfo;
use rookery_registry::{Digest, ManifestInfo, Reference, Repository, TagEntry};
use rookery_signing::attached::is_signature_tag;

use crate::Tcr;
use crate::error::Error;
use crate::instances::Instance;
use crate::moments::Moment;
use crate::repositories;
use crate::signatures;

/// Which images are asked for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// A part of the tag, or, with `exact`, all of it; empty for all images.
    pub(crate) tag: String,
    pub(crate) exact: bool,
    /// Empty for all images.
    pub(crate) digest: String,
}

impl Wanted {
    fn includes(&self, entry: &TagEntry) -> bool {
        let tag = entry.tag.as_str();
        let by_tag =
            self.tag.is_empty() || if self.exact { tag == self.tag } else { tag.contains(&self.tag) };
        by_tag
            && !is_signature_tag(tag)
            && (self.digest.is_empty() || entry.manifest.digest.as_str() == self.digest)
    }
}

/// The bytes of an image: its manifest and all that the manifest names.
pub(crate) fn size(manifest: &ManifestInfo) -> i64 {
    i64::try_from(manifest.size.saturating_add(manifest.total_size)).unwrap_or(i64::MAX)
}

impl Tcr {
    /// The images of a repository, those whose tag was pushed last first. The cost follows the number of tags.
    pub(crate) fn list_images(
        &self,
        repository: &Repository,
        wanted: &Wanted,
    ) -> Result<Vec<TagEntry>, Error> {
        let mut entries = self.registry.tags(repository, None, usize::MAX)?;
        entries.retain(|entry| wanted.includes(entry));
        entries.sort_by(|one, other| (other.pushed_at, &one.tag).cmp(&(one.pushed_at, &other.tag)));
        Ok(entries)
    }

    /// An image as replies show it.
    pub(crate) fn describe_image(
        &self,
        instance: &Instance,
        repository: &Repository,
        entry: &TagEntry,
    ) -> Result<TcrImageInfo, Error> {
        let digest = &entry.manifest.digest;
        let signature = self.store.read(|view| signatures::shown(view, instance, repository, digest))?;
        Ok(TcrImageInfo {
            digest: digest.to_string(),
            size: size(&entry.manifest),
            image_version: entry.tag.to_string(),
            update_time: Moment::from(entry.pushed_at).utc_with_fraction(),
            kind: format!("Artifact::{}", entry.manifest.media_type),
            kms_signature: signature,
        })
    }

    /// The repository of a request about one image, and what the tag or digest `version` names in it.
    pub(crate) fn find_image(
        &self,
        instance: &Instance,
        name: &str,
        version: &str,
    ) -> Result<(Repository, ManifestInfo), Error> {
        self.store.read(|view| repositories::existing(view, instance, name))?;
        let repository = repositories::registry_name(instance, name)?;
        let missing = || Error::NoImage { reference: format!("{name}:{version}") };
        let reference: Reference = version.parse().map_err(|_| missing())?;
        let manifest = self.registry.manifest_info(&repository, &reference)?.ok_or_else(missing)?;
        Ok((repository, manifest))
    }

    /// The text of an image's config and the labels in it. An index has no config; that of an artifact that is no container image
    /// may have no labels.
    pub(crate) async fn read_config(
        &self,
        repository: &Repository,
        config: Option<&Digest>,
    ) -> Result<Config, Error> {
        let Some(digest) = config else { return Ok(Config::default()) };
        let bytes = match self.registry.blob(repository, digest, LARGEST_CONFIG).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(rookery_registry::Error::SizeInvalid) => return Ok(Config::default()),
            Err(error) => return Err(error.into()),
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let parsed = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
        let labels = parsed.pointer("/config/Labels").and_then(serde_json::Value::as_object);
        let labels = labels
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        Ok(Config { labels: labels.collect(), text })
    }
}

/// A config blob longer than this is left out of replies.
const LARGEST_CONFIG: u64 = 4 * 1024 * 1024;

/// The config of an image.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) text: String,
    pub(crate) labels: Vec<(String, String)>,
}
