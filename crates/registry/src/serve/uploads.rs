//! `/v2/<name>/blobs/uploads/…`
//!
//! What writes runs in a task of its own, so that a client that goes away leaves no half step behind.

use std::sync::Arc;

use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http::{Method, Response, StatusCode};

use super::reply::{DOCKER_CONTENT_DIGEST, DOCKER_UPLOAD_UUID, empty, put, upload_range};
use super::{Admitted, Answer, content_length, location};
use crate::Registry;
use crate::body::{RequestBody, ResponseBody};
use crate::digest::{Algorithm, Digest};
use crate::errors::Error;
use crate::names::{Repository, is_repository_name};
use crate::ranges::Chunk;
use crate::uploads::Session;

/// How many repositories are asked about when a mount names no source.
const SOURCES: usize = 32;

impl Registry {
    /// POST: a mount, a whole blob at once, or a new session.
    pub(super) async fn start_upload(&self, request: Admitted, body: RequestBody) -> Answer {
        if let Some(digest) = request.arrival.query.first("mount") {
            let digest: Digest = digest.parse().map_err(Error::from)?;
            if self.mount(&request, &digest).await? {
                return Ok(created(&request.seen, &digest));
            }
        }
        let digest = request
            .arrival
            .query
            .first("digest")
            .map(str::parse::<Digest>)
            .transpose()
            .map_err(Error::from)?;
        let named = request.arrival.query.first("digest-algorithm").map(str::parse::<Algorithm>);
        let algorithm = match (named.transpose().map_err(Error::from)?, &digest) {
            (Some(algorithm), _) => algorithm,
            (None, Some(digest)) => digest.algorithm(),
            (None, None) => Algorithm::Sha256,
        };
        let uuid = self.inner.world.uuid().to_string();
        let session = self.inner.uploads.start(&request.repository, &uuid, algorithm).await?;
        match digest {
            Some(digest) => self.finish_upload(request, session, None, digest, body).await,
            None => Ok(progress(&request.seen, &uuid, &session, StatusCode::ACCEPTED)),
        }
    }

    /// GET, PATCH, PUT or DELETE of a session.
    pub(super) async fn serve_upload(&self, request: Admitted, uuid: String, body: RequestBody) -> Answer {
        let session = self.inner.uploads.find(&request.repository, &uuid).await?;
        match request.arrival.method {
            Method::PATCH => {
                let chunk = chunk(&request)?;
                let (registry, written) = (self.clone(), Arc::clone(&session));
                let append = async move { registry.inner.uploads.append(&written, chunk, body).await };
                tokio::spawn(append).await.map_err(Error::from)??;
                Ok(progress(&request.seen, &uuid, &session, StatusCode::ACCEPTED))
            }
            Method::PUT => {
                let digest = request.arrival.query.first("digest").ok_or(Error::DigestMissing)?;
                let digest = digest.parse().map_err(Error::from)?;
                let chunk = chunk(&request)?;
                self.finish_upload(request, session, chunk, digest, body).await
            }
            Method::DELETE => {
                self.inner.uploads.cancel(&session).await?;
                Ok(empty(StatusCode::NO_CONTENT))
            }
            _ => Ok(progress(&request.seen, &uuid, &session, StatusCode::NO_CONTENT)),
        }
    }

    async fn finish_upload(
        &self,
        request: Admitted,
        session: Arc<Session>,
        chunk: Option<Chunk>,
        digest: Digest,
        body: RequestBody,
    ) -> Answer {
        let registry = self.clone();
        let finish = async move {
            let verified = registry.inner.uploads.finish(&session, chunk, body, digest.clone()).await?;
            registry.publish(&request.repository, verified, true).await?;
            Ok(created(&request.seen, &digest))
        };
        tokio::spawn(finish).await.map_err(Error::from)?
    }

    /// Links a blob that the caller may read elsewhere; `false` when there is none.
    async fn mount(&self, request: &Admitted, digest: &Digest) -> Result<bool, Error> {
        let target = &request.repository;
        let sources = match request.arrival.query.first("from") {
            Some(from) => self.locate_source(request, from)?.into_iter().collect(),
            None => self.holders(target.registry(), digest, SOURCES)?,
        };
        for source in sources {
            if self.may_mount_from(&request.caller, &source, request.arrival.peer).await?
                && self.mount_blob(&source, target, digest).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn locate_source(&self, request: &Admitted, from: &str) -> Result<Option<Repository>, Error> {
        if !is_repository_name(from) {
            return Err(Error::NameInvalid);
        }
        let Some(located) = self.inner.access.locate(&request.arrival.host, from)? else { return Ok(None) };
        let admitted = self.inner.access.admits(located.repository.registry(), request.arrival.peer)?;
        Ok(admitted.then_some(located.repository))
    }
}

/// The place of a chunk, if the client says it; it must agree with the length of the body.
fn chunk(request: &Admitted) -> Result<Option<Chunk>, Error> {
    let Some(value) = request.header(&CONTENT_RANGE) else { return Ok(None) };
    let chunk = Chunk::parse(value).ok_or(Error::UploadInvalid("malformed Content-Range"))?;
    if content_length(&request.arrival.headers).is_some_and(|length| length != chunk.length()) {
        return Err(Error::SizeInvalid);
    }
    Ok(Some(chunk))
}

/// Where an upload is.
fn progress(seen: &str, uuid: &str, session: &Session, status: StatusCode) -> Response<ResponseBody> {
    let mut response = empty(status);
    put(&mut response, LOCATION, &location(seen, &format!("blobs/uploads/{uuid}")));
    put(&mut response, RANGE, &upload_range(session.offset()));
    put(&mut response, DOCKER_UPLOAD_UUID, uuid);
    response
}

/// The blob is there.
fn created(seen: &str, digest: &Digest) -> Response<ResponseBody> {
    let mut response = empty(StatusCode::CREATED);
    put(&mut response, LOCATION, &location(seen, &format!("blobs/{digest}")));
    put(&mut response, DOCKER_CONTENT_DIGEST, digest.as_str());
    response
}
