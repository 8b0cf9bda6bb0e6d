//! What is found beside an image, format by format.

use std::time::SystemTime;

use rookery_signing::certificate::Certificate;
use rookery_signing::verify::{self, Fault, PublicKey};
use rookery_signing::{Digest, bundle, notation, simple};
use rookery_tcr::Verification;
use time::OffsetDateTime;

use super::Failure;
use super::name::ImageName;
use super::pull::Puller;

/// What became of a format.
pub(crate) enum Finding {
    /// A signature holds; what it says.
    Good(String),
    /// There are signatures, and none holds.
    Bad(String),
    /// There is none.
    Absent,
}

/// An image with what was found beside it.
pub(crate) struct Checked {
    pub(crate) title: String,
    simple: Finding,
    bundle: Finding,
    notation: Finding,
}

impl Checked {
    /// By the names that trust gives the formats.
    pub(crate) fn findings(&self) -> [(&'static str, &Finding); 3] {
        [("simple", &self.simple), ("bundle", &self.bundle), ("notation", &self.notation)]
    }
}

/// The key and the names that are trusted, and where to look.
pub(crate) struct Checks<'a> {
    puller: &'a Puller,
    key: PublicKey,
    certificate: Certificate,
    /// What an image of this repository has to be signed as.
    signed_as: String,
    now: OffsetDateTime,
}

impl<'a> Checks<'a> {
    pub(crate) fn new(puller: &'a Puller, trust: &Verification, image: &ImageName) -> Result<Self, Failure> {
        let (_, below) = image.repository().split_once('/').unwrap_or_default();
        Ok(Self {
            puller,
            key: PublicKey::from_pem(&trust.public_key)?,
            certificate: Certificate::from_pem(&trust.certificate)
                .ok_or("the trusted certificate is no PEM")?,
            signed_as: format!("{}/{below}", trust.signed_as),
            now: OffsetDateTime::from(SystemTime::now()),
        })
    }

    pub(crate) async fn image(&self, title: String, image: &Digest) -> Result<Checked, Failure> {
        let certificate = &self.certificate;
        Ok(Checked {
            title,
            simple: self.simple(image).await?,
            bundle: self
                .referrers(image, bundle::ARTIFACT_TYPE, |bytes| verify::bundle(bytes, image, &self.key))
                .await?,
            notation: self
                .referrers(image, notation::ARTIFACT_TYPE, |bytes| {
                    verify::envelope(bytes, image, certificate, self.now).map(|at| format!("made at {at}"))
                })
                .await?,
        })
    }

    async fn simple(&self, image: &Digest) -> Result<Finding, Failure> {
        let Some(manifest) = self.puller.manifest(&simple::tag(image)).await? else {
            return Ok(Finding::Absent);
        };
        let listed = match verify::listed(&manifest) {
            Ok(listed) => listed,
            Err(fault) => return Ok(Finding::Bad(fault.to_string())),
        };
        let mut faults = Vec::new();
        for signature in listed {
            let Some(payload) = self.puller.content("blobs", &signature.payload).await? else { continue };
            match verify::simple(&payload, &signature.raw, image, &self.key) {
                Ok(reference) if reference == self.signed_as => {
                    return Ok(Finding::Good(format!("signed as {reference}")));
                }
                Ok(reference) => {
                    faults.push(format!("it is signed as {reference}, not as {}", self.signed_as));
                }
                Err(fault) => faults.push(fault.to_string()),
            }
        }
        Ok(outcome(&faults))
    }

    async fn referrers(
        &self,
        image: &Digest,
        artifact_type: &str,
        check: impl Fn(&[u8]) -> Result<String, Fault>,
    ) -> Result<Finding, Failure> {
        let mut faults = Vec::new();
        for referrer in self.puller.referrers(image, artifact_type).await? {
            let Some(manifest) = self.puller.content("manifests", &referrer).await? else { continue };
            let checked = match verify::layer(&manifest) {
                Ok(layer) => match self.puller.content("blobs", &layer).await? {
                    Some(bytes) => check(&bytes),
                    None => continue,
                },
                Err(fault) => Err(fault),
            };
            match checked {
                Ok(more) => return Ok(Finding::Good(more)),
                Err(fault) => faults.push(fault.to_string()),
            }
        }
        Ok(outcome(&faults))
    }
}

fn outcome(faults: &[String]) -> Finding {
    if faults.is_empty() { Finding::Absent } else { Finding::Bad(faults.join("; ")) }
}
