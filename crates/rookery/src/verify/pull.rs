//! Pulling from the running cloud's registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{Request, StatusCode};
use rookery_client::{Transport, Trust};
use rookery_signing::Digest;
use serde::Deserialize;

use super::Failure;

/// Every kind of manifest.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// One repository, seen by one login.
pub(crate) struct Puller {
    transport: Transport,
    /// `http://127.0.0.1:8080/v2/demo/library/app`.
    base: String,
    authorization: String,
}

#[derive(Deserialize)]
struct Referrers {
    manifests: Vec<Referrer>,
}

#[derive(Deserialize)]
struct Referrer {
    digest: String,
}

impl Puller {
    pub(crate) fn new(
        endpoint: &str,
        path: &str,
        (name, password): &(String, String),
    ) -> Result<Self, Failure> {
        Ok(Self {
            transport: Transport::new(&Trust::Public)?,
            base: format!("{endpoint}/v2/{path}"),
            authorization: format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))),
        })
    }

    /// A manifest by tag or digest; `None` where there is none.
    pub(crate) async fn manifest(&self, reference: &str) -> Result<Option<Bytes>, Failure> {
        self.get(&format!("manifests/{reference}")).await
    }

    /// A blob or a manifest whose bytes have that digest.
    pub(crate) async fn content(&self, kind: &str, digest: &Digest) -> Result<Option<Bytes>, Failure> {
        let Some(bytes) = self.get(&format!("{kind}/{digest}")).await? else { return Ok(None) };
        if Digest::of(&bytes) != *digest {
            return Err(format!("the registry sent other bytes than {digest}").into());
        }
        Ok(Some(bytes))
    }

    /// The manifests of a type that refer to an image.
    pub(crate) async fn referrers(
        &self,
        image: &Digest,
        artifact_type: &str,
    ) -> Result<Vec<Digest>, Failure> {
        let query = artifact_type.replace('/', "%2F").replace('+', "%2B");
        let list = self.get(&format!("referrers/{image}?artifactType={query}")).await?;
        let Some(list) = list else { return Ok(Vec::new()) };
        let Referrers { manifests } = serde_json::from_slice(&list)?;
        // Signatures with other digests than SHA-256 are nobody's here.
        Ok(manifests.iter().filter_map(|referrer| referrer.digest.parse().ok()).collect())
    }

    async fn get(&self, rest: &str) -> Result<Option<Bytes>, Failure> {
        let request = Request::get(format!("{}/{rest}", self.base))
            .header(AUTHORIZATION, &self.authorization)
            .header(ACCEPT, MANIFESTS)
            .body(Bytes::new())?;
        let reply = self.transport.send(request).await?;
        match reply.status() {
            StatusCode::OK => Ok(Some(reply.into_body())),
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err("the registry does not let this login pull the image".into())
            }
            status => Err(format!("the registry answered {status}").into()),
        }
    }
}
