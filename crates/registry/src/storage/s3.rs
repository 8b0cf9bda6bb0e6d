//! Blobs as objects of a bucket that speaks the S3 protocol: `<prefix>/blobs/<algorithm>/<hex>`.
//!
//! An upload stays a file of this machine until its digest is verified, so it can be resumed and nothing unverified is ever
//! in the bucket; then it goes there in parts, a few at a time, and its file is removed. Reads are ranged GETs that are
//! handed on as they come. No blob is ever in memory as a whole.

mod client;
mod download;
mod listing;
mod signature;

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, RANGE};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::local::remove_if_there;
use super::{BlobLock, BlobStore, Upload};
use crate::body::ResponseBody;
use crate::digest::Digest;
use client::{Client, Request};
use signature::Credentials;

/// Bytes of a part; a blob that is not longer goes in one request. The protocol wants at least 5 MiB.
const PART: u64 = 8 * 1024 * 1024;

/// Parts of one blob; the protocol allows 10,000.
const PARTS: u64 = 9_000;

/// Parts of one blob under way at once. Each is in memory.
const AT_ONCE: usize = 4;

/// What stays as it is in a path: the protocol's unreserved characters, and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// Where a bucket is and who may use it.
#[derive(Clone)]
pub struct Bucket {
    /// The bucket's name.
    pub name: String,
    /// What the objects' keys begin with, without slashes at its ends; empty for none.
    pub prefix: String,
    /// `https://host[:port]`, under which the bucket is the first part of the path; or with `{bucket}` in it, which the name
    /// takes the place of. `None`: Amazon's, by the region.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret_key: Zeroizing<String>,
    /// The token of temporary keys.
    pub session_token: Option<Zeroizing<String>>,
    /// The certificates (PEM) of the authorities to trust, instead of the public ones.
    pub authority: Option<Vec<u8>>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, prefix, endpoint, region, .. } = self;
        f.debug_struct("Bucket")
            .field("name", name)
            .field("prefix", prefix)
            .field("endpoint", endpoint)
            .field("region", region)
            .finish_non_exhaustive()
    }
}

/// Why a bucket cannot be used as it is described.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// Not `s3://bucket` or `s3://bucket/prefix`.
    #[error("{0} is no s3://BUCKET[/PREFIX]")]
    Address(String),
    /// A setting is missing; the text names it.
    #[error("{0} is not set")]
    Unset(&'static str),
    /// The endpoint is no address.
    #[error("the endpoint {0} is no http:// or https:// address without a path")]
    Endpoint(String),
    /// The authorities' certificates cannot be read.
    #[error("the authority's certificate cannot be read: {0}")]
    Authority(String),
}

impl Bucket {
    /// `s3://bucket/prefix`, with the keys, the region and the authority that `setting` gives by the names that every S3 client
    /// knows: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` (or `AWS_DEFAULT_REGION`).
    pub fn parse(
        address: &str,
        endpoint: Option<&str>,
        setting: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, BucketError> {
        let invalid = || BucketError::Address(address.to_owned());
        let rest = address.strip_prefix("s3://").ok_or_else(invalid)?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(invalid());
        }
        let set = |name| setting(name).filter(|value| !value.is_empty());
        let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        Ok(Self {
            name: name.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            endpoint: endpoint.map(str::to_owned),
            region: region.ok_or(BucketError::Unset("AWS_REGION"))?,
            access_key: set("AWS_ACCESS_KEY_ID").ok_or(BucketError::Unset("AWS_ACCESS_KEY_ID"))?,
            secret_key: set("AWS_SECRET_ACCESS_KEY")
                .map(Zeroizing::new)
                .ok_or(BucketError::Unset("AWS_SECRET_ACCESS_KEY"))?,
            session_token: set("AWS_SESSION_TOKEN").map(Zeroizing::new),
            authority: None,
        })
    }

    /// What it is called in messages and noted as: `s3://bucket/prefix`.
    #[must_use]
    pub fn address(&self) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("s3://{}{slash}{}", self.name, self.prefix)
    }

    /// The address of the bucket, and what its path begins with.
    fn base(&self) -> Result<(String, String), BucketError> {
        let (endpoint, path) = match &self.endpoint {
            None => (format!("https://{}.s3.{}.amazonaws.com", self.name, self.region), String::new()),
            Some(endpoint) if endpoint.contains("{bucket}") => {
                (endpoint.replace("{bucket}", &self.name), String::new())
            }
            Some(endpoint) => (endpoint.clone(), format!("/{}", self.name)),
        };
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
        if host.is_none_or(|host| host.is_empty() || host.contains(['/', '?', '#', '@'])) {
            return Err(BucketError::Endpoint(endpoint));
        }
        Ok((endpoint, path))
    }
}

/// The adapter.
#[derive(Debug, Clone)]
pub(crate) struct S3Blobs {
    client: Arc<Client>,
    /// The path of the bucket.
    root: String,
    prefix: String,
}

impl S3Blobs {
    pub(crate) fn open(bucket: &Bucket) -> Result<Self, BucketError> {
        let (endpoint, root) = bucket.base()?;
        let credentials = Credentials {
            access_key: bucket.access_key.clone(),
            secret_key: bucket.secret_key.clone(),
            session_token: bucket.session_token.clone(),
            region: bucket.region.clone(),
        };
        let client = Client::new(endpoint, credentials, bucket.authority.as_deref())?;
        let prefix = if bucket.prefix.is_empty() { String::new() } else { format!("{}/", bucket.prefix) };
        Ok(Self { client: Arc::new(client), root, prefix: format!("{prefix}blobs/") })
    }

    fn path(&self, digest: &Digest) -> String {
        let key = format!("{}{}/{}", self.prefix, digest.algorithm().name(), digest.hex());
        format!("{}/{}", self.root, utf8_percent_encode(&key, PATH))
    }

    async fn put_whole(&self, upload: &Upload, digest: &Digest) -> io::Result<()> {
        let bytes = read_part(&upload.path, 0, upload.size).await?;
        let request = Request::new(Method::PUT, self.path(digest)).body(bytes);
        self.client.send(&request).await.map(drop)
    }

    /// Begins an upload in parts; gives its id.
    pub(crate) async fn begin(&self, digest: &Digest) -> io::Result<String> {
        let begin = Request::new(Method::POST, self.path(digest)).query("uploads", "");
        let answer = self.client.send_for_text(&begin).await?;
        listing::text_of(&answer, "UploadId").ok_or_else(|| malformed("UploadId"))
    }

    async fn put_in_parts(&self, upload: &Upload, digest: &Digest) -> io::Result<()> {
        let path = self.path(digest);
        let id = self.begin(digest).await?;
        let done = self.put_parts(upload, &path, &id).await;
        if done.is_err() {
            // What was sent would be kept, and paid for; if this fails too, the bucket's own rules must clean up.
            let abort = Request::new(Method::DELETE, path).query("uploadId", &id);
            if let Err(error) = self.client.send(&abort).await {
                tracing::warn!(%digest, %error, "an upload to the bucket could not be taken back");
            }
        }
        done
    }

    async fn put_parts(&self, upload: &Upload, path: &str, id: &str) -> io::Result<()> {
        let length = PART.max(upload.size.div_ceil(PARTS).next_multiple_of(1024 * 1024));
        let starts = (0..upload.size.div_ceil(length)).map(|index| index * length);
        let parts = starts.zip(1_u64..).map(|(start, number)| async move {
            let bytes = read_part(&upload.path, start, length.min(upload.size - start)).await?;
            let request = Request::new(Method::PUT, path.to_owned())
                .query("partNumber", &number.to_string())
                .query("uploadId", id)
                .body(bytes);
            let reply = self.client.send(&request).await?;
            let tag = reply.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
            let tag = tag.ok_or_else(|| malformed("ETag"))?.replace('"', "&quot;");
            Ok::<_, io::Error>(format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"))
        });
        let parts: Vec<String> = futures_util::stream::iter(parts).buffered(AT_ONCE).try_collect().await?;
        let list = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.concat());
        let complete =
            Request::new(Method::POST, path.to_owned()).query("uploadId", id).body(Bytes::from(list));
        // A bucket may begin its answer with 200 and only then fail.
        let answer = self.client.send_for_text(&complete).await?;
        match listing::text_of(&answer, "Code") {
            None => Ok(()),
            Some(code) => Err(io::Error::other(format!("the bucket did not complete an upload: {code}"))),
        }
    }

    /// Asks for `length` bytes, at least one, from `start` of a blob of `size` bytes.
    async fn get(&self, digest: &Digest, size: u64, start: u64, length: u64) -> io::Result<Incoming> {
        let range = format!("bytes={start}-{}", start.saturating_add(length) - 1);
        let request = Request::new(Method::GET, self.path(digest)).header(RANGE, &range);
        let reply = self.client.send(&request).await?;
        // A bucket that does not know ranges sends everything: the same only where everything was asked for.
        let whole = reply.status() == StatusCode::OK && length < size;
        if whole || whole_length(reply.status(), reply.headers()) != Some(size) {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(reply.into_body())
    }

    /// Takes back the uploads in parts that were begun below our prefix at least `seconds` before `now` and never ended.
    async fn abort_older_than(&self, seconds: u64, now: SystemTime) -> io::Result<usize> {
        let now = OffsetDateTime::from(now);
        let (mut aborted, mut after) = (0, None::<(String, String)>);
        loop {
            let mut request = Request::new(Method::GET, format!("{}/", self.root))
                .query("uploads", "")
                .query("prefix", &self.prefix);
            if let Some((key, id)) = &after {
                request = request.query("key-marker", key).query("upload-id-marker", id);
            }
            let page = self.client.send_for_text(&request).await?;
            for upload in listing::uploads(&page) {
                let age = (now - upload.at).whole_seconds();
                // The listing is the server's: what is not ours is not touched, whatever it lists.
                let stale = u64::try_from(age).is_ok_and(|age| age >= seconds);
                if !stale || !upload.key.starts_with(&self.prefix) {
                    continue;
                }
                let path = format!("{}/{}", self.root, utf8_percent_encode(&upload.key, PATH));
                let abort = Request::new(Method::DELETE, path).query("uploadId", &upload.id);
                match self.client.send(&abort).await {
                    Ok(_) => aborted += 1,
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            let next = listing::text_of(&page, "NextKeyMarker").filter(|key| !key.is_empty());
            let id = listing::text_of(&page, "NextUploadIdMarker").unwrap_or_default();
            let truncated = listing::text_of(&page, "IsTruncated").is_some_and(|text| text == "true");
            match next.map(|key| (key, id)) {
                Some(next) if truncated && after.as_ref() != Some(&next) => after = Some(next),
                _ => return Ok(aborted),
            }
        }
    }

    async fn list(&self, seconds: u64, now: SystemTime) -> io::Result<Vec<Digest>> {
        let now = OffsetDateTime::from(now);
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let mut request = Request::new(Method::GET, format!("{}/", self.root))
                .query("list-type", "2")
                .query("prefix", &self.prefix);
            if let Some(token) = &token {
                request = request.query("continuation-token", token);
            }
            let page = self.client.send_for_text(&request).await?;
            for object in listing::objects(&page) {
                let digest = object.key.strip_prefix(&self.prefix).map(|name| name.replacen('/', ":", 1));
                let Some(Ok(digest)) = digest.map(|digest| digest.parse::<Digest>()) else { continue };
                let age = (now - object.modified).whole_seconds();
                if u64::try_from(age).is_ok_and(|age| age >= seconds) {
                    found.push(digest);
                }
            }
            token = listing::text_of(&page, "NextContinuationToken");
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::other(format!("the bucket's answer has no {what}"))
}

/// Reads a part of an upload's file into memory.
async fn read_part(path: &Path, start: u64, length: u64) -> io::Result<Bytes> {
    let path = path.to_owned();
    let read = move || {
        let mut buffer = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        File::open(path)?.read_exact_at(&mut buffer, start)?;
        Ok(Bytes::from(buffer))
    };
    spawn_blocking(read).await.map_err(io::Error::other)?
}

/// The whole length of an object, by the answer to a ranged GET.
fn whole_length(status: StatusCode, headers: &HeaderMap) -> Option<u64> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    if status == StatusCode::PARTIAL_CONTENT {
        text(CONTENT_RANGE)?.rsplit_once('/')?.1.parse().ok()
    } else {
        text(CONTENT_LENGTH)?.parse().ok()
    }
}

impl BlobStore for S3Blobs {
    fn prepare<'a>(&'a self, _: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        // Nothing is durable before it is in the bucket, and there it goes under the blob's lock.
        std::future::ready(Ok(())).boxed()
    }

    fn publish(&self, upload: Upload, digest: Digest) -> BoxFuture<'_, io::Result<()>> {
        async move {
            if upload.size <= PART {
                self.put_whole(&upload, &digest).await?;
            } else {
                self.put_in_parts(&upload, &digest).await?;
            }
            spawn_blocking(move || remove_if_there(&upload.path)).await.map_err(io::Error::other)?
        }
        .boxed()
    }

    fn size<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, io::Result<Option<u64>>> {
        async move {
            match self.client.send(&Request::new(Method::HEAD, self.path(digest))).await {
                Ok(reply) => Ok(whole_length(reply.status(), reply.headers())),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn read(
        &self,
        digest: Digest,
        size: u64,
        start: u64,
        length: u64,
    ) -> BoxFuture<'_, io::Result<ResponseBody>> {
        async move {
            if length == 0 || size == 0 {
                return match self.size(&digest).await? {
                    Some(actual) if actual == size => Ok(ResponseBody::default()),
                    Some(_) => Err(ErrorKind::InvalidData.into()),
                    None => Err(ErrorKind::NotFound.into()),
                };
            }
            let begun = self.get(&digest, size, start, length).await?;
            let body = download::resumed(self.clone(), digest, size, start, length, begun);
            Ok(ResponseBody::remote(body.boxed_unsync(), length))
        }
        .boxed()
    }

    fn remove(&self, digest: Digest, alone: Option<BlobLock>) -> BoxFuture<'_, io::Result<()>> {
        let (client, path) = (Arc::clone(&self.client), self.path(&digest));
        // A task of its own: the lock is kept until the bucket has answered, even if nobody waits for it.
        let removing = tokio::spawn(async move {
            let removed = client.send(&Request::new(Method::DELETE, path)).await;
            drop(alone);
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        });
        async move { removing.await.map_err(io::Error::other)? }.boxed()
    }

    fn older_than(&self, seconds: u64, now: SystemTime) -> BoxFuture<'_, io::Result<Vec<Digest>>> {
        self.list(seconds, now).boxed()
    }

    fn abandon(&self, seconds: u64, now: SystemTime) -> BoxFuture<'_, io::Result<usize>> {
        self.abort_older_than(seconds, now).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &str) -> Option<String> {
        let value = match name {
            "AWS_REGION" => "us-east-1",
            "AWS_ACCESS_KEY_ID" => "key",
            "AWS_SECRET_ACCESS_KEY" => "secret",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn addresses_are_read() {
        let parsed = |address| Bucket::parse(address, None, settings).map(|it| (it.name, it.prefix));
        assert_eq!(parsed("s3://layers").expect("valid"), ("layers".to_owned(), String::new()));
        assert_eq!(parsed("s3://layers/a/b/").expect("valid"), ("layers".to_owned(), "a/b".to_owned()));
        for bad in ["layers", "s3://", "s3:///a", "s3://Layers", "s3://a b", "https://a/b"] {
            assert!(matches!(parsed(bad), Err(BucketError::Address(_))), "{bad}");
        }
        for missing in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let setting = |name: &str| if name == missing { Some(String::new()) } else { settings(name) };
            let refused = Bucket::parse("s3://a", None, setting);
            assert!(matches!(&refused, Err(BucketError::Unset(name)) if *name == missing), "{refused:?}");
        }
    }

    #[test]
    fn endpoints_name_the_bucket_in_the_path_or_in_the_host() {
        let base = |endpoint| Bucket::parse("s3://layers", endpoint, settings).expect("valid").base();
        let is = |endpoint, address: &str, path: &str| {
            assert_eq!(base(endpoint).expect("valid"), (address.to_owned(), path.to_owned()));
        };
        is(None, "https://layers.s3.us-east-1.amazonaws.com", "");
        is(Some("http://127.0.0.1:9000/"), "http://127.0.0.1:9000", "/layers");
        is(Some("https://{bucket}.cos.test"), "https://layers.cos.test", "");
        for bad in ["127.0.0.1:9000", "http://", "http://a/b", "https://a?b", "ftp://a", "http://u@a"] {
            assert!(matches!(base(Some(bad)), Err(BucketError::Endpoint(_))), "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let bucket = Bucket::parse("s3://layers", None, settings).expect("valid");
        let blobs = S3Blobs::open(&bucket).expect("opens");
        assert!(!format!("{bucket:?}{blobs:?}").contains("secret"));
    }
}
