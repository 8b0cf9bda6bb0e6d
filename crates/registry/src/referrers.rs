//! The manifests that refer to another one (OCI 1.1 `subject`).

use std::collections::BTreeMap;

use rookery_store::Read;
use serde::Serialize;

use crate::Registry;
use crate::digest::Digest;
use crate::errors::Error;
use crate::names::Repository;
use crate::tables::{Referring, content_key};

/// The descriptor of a referring manifest, as the referrers API lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// The referring manifest's media type.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Its `artifactType`, else its config's media type; an index may have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// All its annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Registry {
    /// The manifests of the repository whose subject is `digest`, in the order of their digests; of one artifact type, if one
    /// is given. The subject itself need not exist.
    pub fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, Error> {
        let subject = content_key(repository, digest.as_str());
        let found = self.inner.store.read(|view| view.find_all::<Referring>(&subject, usize::MAX))?;
        found
            .into_iter()
            .filter(|(_, _, row)| {
                artifact_type.is_none_or(|wanted| row.artifact_type.as_deref() == Some(wanted))
            })
            .map(|(_, (_, _, digest), row)| {
                Ok(Referrer {
                    media_type: row.media_type,
                    digest: digest.parse()?,
                    size: row.size,
                    artifact_type: row.artifact_type,
                    annotations: row.annotations,
                })
            })
            .collect()
    }
}
