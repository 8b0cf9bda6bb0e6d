//! `/v2/<name>/manifests/<reference>`

use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Response, StatusCode};

use super::reply::{DOCKER_CONTENT_DIGEST, OCI_SUBJECT, OCI_TAG, add, empty, put};
use super::{Admitted, Answer, location, read_body, unknown};
use crate::Registry;
use crate::body::{RequestBody, ResponseBody};
use crate::errors::Error;
use crate::hooks::Pull;
use crate::manifests::MANIFEST_LIMIT;
use crate::names::{Reference, Tag};
use crate::ranges::{VALIDATOR, is_unmodified};

/// How many `tag` parameters one push may carry.
const TAG_LIMIT: usize = 100;

impl Registry {
    pub(super) async fn serve_manifest(
        &self,
        request: &Admitted,
        reference: Reference,
        body: RequestBody,
    ) -> Answer {
        match request.arrival.method {
            Method::PUT => Box::pin(self.push_manifest(request, reference, body)).await,
            Method::DELETE => {
                let (repository, origin) = (&request.repository, request.origin());
                match &reference {
                    Reference::Tag(tag) => Box::pin(self.delete_tag(repository, tag, origin)).await?,
                    Reference::Digest(digest) => {
                        Box::pin(self.delete_manifest(repository, digest, origin)).await?;
                    }
                }
                Ok(empty(StatusCode::ACCEPTED))
            }
            _ => self.pull_manifest(request, &reference).await,
        }
    }

    async fn pull_manifest(&self, request: &Admitted, reference: &Reference) -> Answer {
        let repository = &request.repository;
        let epoch = self.promise_epoch();
        let pulled = self.pulled(repository, reference)?.ok_or_else(|| unknown(reference))?;
        if request.arrival.method == Method::HEAD {
            // Whoever only asks whether it is there may be about to name it in an index, or to push it where it is not.
            if pulled.damaged || !self.promise_manifest(repository, &pulled.digest, epoch).await? {
                return Err(unknown(reference).into());
            }
        } else if pulled.damaged {
            return Err(Error::Damaged(pulled.digest.to_string()).into());
        }
        if is_unmodified(&request.arrival.headers, &pulled.etag) {
            let mut response = empty(StatusCode::NOT_MODIFIED);
            put(&mut response, DOCKER_CONTENT_DIGEST, pulled.digest.as_str());
            put(&mut response, VALIDATOR, &pulled.etag);
            return Ok(response);
        }
        let body = if request.arrival.method == Method::HEAD {
            ResponseBody::default()
        } else {
            let read = self.manifest_bytes(repository, &pulled.digest);
            if matches!(read, Err(Error::Damaged(_))) {
                self.examine_manifest(repository, &pulled.digest).await?;
            }
            let bytes = read?.ok_or_else(|| unknown(reference))?;
            let (digest, caller) = (&pulled.digest, request.caller.subject());
            let pull = Pull { repository, reference, digest, puller: caller };
            if let Some(telling) = self.inner.hooks.pulled(&pull) {
                telling.await;
            }
            ResponseBody::bytes(bytes)
        };
        let mut response = Response::new(body);
        response.headers_mut().clone_from(&pulled.headers);
        Ok(response)
    }

    async fn push_manifest(&self, request: &Admitted, reference: Reference, body: RequestBody) -> Answer {
        let tags = tag_parameters(request)?;
        let bytes = read_body(body, &request.arrival.headers, MANIFEST_LIMIT).await?;
        let bytes = bytes.ok_or(Error::ManifestTooLarge { limit: MANIFEST_LIMIT })?;
        let media_type = request
            .header(&CONTENT_TYPE)
            .map(|value| value.split(';').next().unwrap_or_default().trim())
            .filter(|media_type| !media_type.is_empty());
        let mut references = vec![reference];
        references.extend(tags.iter().cloned().map(Reference::Tag));
        let stored = self
            .put_manifest_under(&request.repository, references, media_type, &bytes, request.origin())
            .await?;
        let mut response = empty(StatusCode::CREATED);
        put(&mut response, LOCATION, &location(&request.seen, &format!("manifests/{}", stored.digest)));
        put(&mut response, DOCKER_CONTENT_DIGEST, stored.digest.as_str());
        if let Some(subject) = stored.subject {
            put(&mut response, OCI_SUBJECT, subject.as_str());
        }
        for tag in tags {
            add(&mut response, OCI_TAG, tag.as_str());
        }
        Ok(response)
    }
}

/// The tags of `?tag=a&tag=b` or `?tag=a,b`, each once.
fn tag_parameters(request: &Admitted) -> Result<Vec<Tag>, Error> {
    let mut tags: Vec<Tag> = Vec::new();
    for tag in request.arrival.query.all("tag").flat_map(|value| value.split(',')) {
        let tag = Tag::new(tag)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if tags.len() > TAG_LIMIT {
            return Err(Error::TooManyTags { limit: TAG_LIMIT });
        }
    }
    Ok(tags)
}
