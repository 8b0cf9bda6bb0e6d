//! `/v2/<name>/blobs/<digest>`

use http::header::{ACCEPT_RANGES, CONTENT_RANGE, HeaderValue};
use http::{Method, Response, StatusCode};

use super::reply::{DOCKER_CONTENT_DIGEST, empty, put, with_body};
use super::{Admitted, Answer};
use crate::Registry;
use crate::body::ResponseBody;
use crate::digest::Digest;
use crate::errors::Error;
use crate::ranges::{VALIDATOR, Wanted, is_unmodified, wanted};

const OCTETS: &str = "application/octet-stream";

impl Registry {
    pub(super) async fn serve_blob(&self, request: &Admitted, digest: &Digest) -> Answer {
        if request.arrival.method == Method::DELETE {
            self.unlink_blob(&request.repository, digest).await?;
            return Ok(empty(StatusCode::ACCEPTED));
        }
        let size = if request.arrival.method == Method::HEAD {
            match self.promise_blob(&request.repository, digest).await {
                // Whoever asks whether it is there would not push it; and only that mends it.
                Err(Error::Damaged(_)) => None,
                size => size?,
            }
        } else {
            self.pulled_size(&request.repository, digest)?
        };
        let Some(size) = size else { return Err(Error::BlobUnknown(digest.clone()).into()) };
        let etag = format!("\"{digest}\"");
        let mut response = if is_unmodified(&request.arrival.headers, &etag) {
            empty(StatusCode::NOT_MODIFIED)
        } else if request.arrival.method == Method::HEAD {
            with_body(StatusCode::OK, OCTETS, size, ResponseBody::default())
        } else {
            self.download(request, digest, size, &etag).await?
        };
        response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        put(&mut response, DOCKER_CONTENT_DIGEST, digest.as_str());
        put(&mut response, VALIDATOR, &etag);
        Ok(response)
    }

    async fn download(
        &self,
        request: &Admitted,
        digest: &Digest,
        size: u64,
        etag: &str,
    ) -> Result<Response<ResponseBody>, Error> {
        let wanted = wanted(&request.arrival.headers, size, etag);
        let (start, length) = match wanted {
            Wanted::Whole => (0, size),
            Wanted::Part { start, length } => (start, length),
            Wanted::Unsatisfiable => return Err(Error::RangeNotSatisfiable { size }),
        };
        let body = self.read_blob(digest, size, start, length).await?;
        let body = body.ok_or_else(|| Error::BlobUnknown(digest.clone()))?;
        let status = if wanted == Wanted::Whole { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
        let mut response = with_body(status, OCTETS, length, body);
        if wanted != Wanted::Whole {
            put(&mut response, CONTENT_RANGE, &format!("bytes {start}-{}/{size}", start + length - 1));
        }
        Ok(response)
    }
}
