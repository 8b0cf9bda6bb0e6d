//! `/v2/<name>/referrers/<digest>`

use http::StatusCode;
use http::header::LINK;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::reply::{OCI_FILTERS_APPLIED, json_as, put};
use super::{Admitted, Answer, location};
use crate::Registry;
use crate::digest::Digest;
use crate::document::OCI_INDEX;
use crate::referrers::Referrer;

/// Referrers on one page at most.
const PAGE: usize = 1000;

/// Bytes of annotations on one page, roughly: clients refuse an index of more than 4 MiB.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

impl Registry {
    /// An index of what refers to the digest: empty, not 404, when nothing does.
    pub(super) fn list_referrers(&self, request: &Admitted, digest: &Digest) -> Answer {
        let query = &request.arrival.query;
        let artifact_type = query.first("artifactType").filter(|kind| !kind.is_empty());
        let mut referrers = self.referrers(&request.repository, digest, artifact_type)?;
        if let Some(last) = query.first("last") {
            referrers.retain(|referrer| referrer.digest.as_str() > last);
        }
        let length = page_length(&referrers);
        let more = referrers.len() > length;
        referrers.truncate(length);
        let index = serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": referrers});
        let mut response = json_as(StatusCode::OK, OCI_INDEX, &index);
        if artifact_type.is_some() {
            put(&mut response, OCI_FILTERS_APPLIED, "artifactType");
        }
        if let (true, Some(last)) = (more, referrers.last()) {
            let filter = artifact_type.map_or_else(String::new, |kind| {
                format!("&artifactType={}", utf8_percent_encode(kind, NON_ALPHANUMERIC))
            });
            let next = location(&request.seen, &format!("referrers/{digest}?last={}{filter}", last.digest));
            put(&mut response, LINK, &format!("<{next}>; rel=\"next\""));
        }
        Ok(response)
    }
}

/// How many of the referrers fit on a page; at least one, if there is one.
fn page_length(referrers: &[Referrer]) -> usize {
    let mut bytes = 0_usize;
    let fitting = referrers.iter().take(PAGE).take_while(|referrer| {
        let fits = bytes < PAGE_BYTES;
        bytes += referrer.annotations.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        fits
    });
    fitting.count()
}
