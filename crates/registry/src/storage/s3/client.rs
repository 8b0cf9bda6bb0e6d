//! Requests to a bucket: signed, sent, and sent again where that helps.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::uri::Authority;
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Sockets;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use time::OffsetDateTime;

use super::BucketError;
use super::listing::text_of;
use super::signature::{Credentials, Signed, query};

/// How often a request is sent at most.
const TRIES: u32 = 5;

/// The wait before the second try; it doubles with each.
const PAUSE: Duration = Duration::from_millis(100);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The time until an answer begins. A part of 8 MiB is sent within it over a slow line.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);

/// The longest answer that is read as a text.
const TEXT: usize = 8 * 1024 * 1024;

/// What is asked of a bucket.
pub(super) struct Request {
    method: Method,
    /// Encoded, from the root.
    path: String,
    parameters: Vec<(String, String)>,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

impl Request {
    pub(super) fn new(method: Method, path: String) -> Self {
        Self { method, path, parameters: Vec::new(), headers: Vec::new(), body: Bytes::new() }
    }

    pub(super) fn query(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }
}

/// Connections to one bucket.
pub(super) struct Client {
    sockets: Sockets<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint: String,
    host: String,
    credentials: Credentials,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(
        endpoint: String,
        credentials: Credentials,
        authority: Option<&[u8]>,
    ) -> Result<Self, BucketError> {
        let invalid = || BucketError::Endpoint(endpoint.clone());
        let address: Uri = endpoint.parse().map_err(|_| invalid())?;
        let host = address.authority().map(Authority::to_string).ok_or_else(invalid)?;
        let unusable = |error: rustls::Error| BucketError::Authority(error.to_string());
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots(authority)?)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let sockets = Sockets::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Ok(Self { sockets, endpoint, host, credentials })
    }

    /// The answer, if it is a success. What the bucket refuses is an error of the kind that a file would give.
    pub(super) async fn send(&self, request: &Request) -> io::Result<Response<hyper::body::Incoming>> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let (error, again) = match self.try_once(request).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => refused(answer).await,
                Err(error) => (error, true),
            };
            if !again || attempt == TRIES {
                return Err(error);
            }
            tracing::debug!(%error, attempt, "a request to the bucket is sent again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(io::Error::other("no request was sent"))
    }

    /// As [`Client::send`], with the answer read whole.
    pub(super) async fn send_for_text(&self, request: &Request) -> io::Result<String> {
        let body = self.send(request).await?.into_body();
        let bytes = Limited::new(body, TEXT).collect().await.map_err(io::Error::other)?.to_bytes();
        String::from_utf8(bytes.to_vec()).map_err(io::Error::other)
    }

    async fn try_once(&self, request: &Request) -> io::Result<Response<hyper::body::Incoming>> {
        let query = query(&request.parameters);
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            headers.insert(name, HeaderValue::from_str(value).map_err(io::Error::other)?);
        }
        let signed =
            Signed { method: &request.method, path: &request.path, query: &query, body: &request.body };
        // The bucket compares with its own clock, so it is the real time.
        let now = OffsetDateTime::now_utc();
        self.credentials.sign(&signed, &self.host, &mut headers, now).map_err(io::Error::other)?;
        let separator = if query.is_empty() { "" } else { "?" };
        let uri = format!("{}{}{separator}{query}", self.endpoint, request.path);
        let mut sent = http::Request::new(Full::new(request.body.clone()));
        *sent.method_mut() = request.method.clone();
        *sent.uri_mut() = uri.parse().map_err(io::Error::other)?;
        *sent.headers_mut() = headers;
        match tokio::time::timeout(ANSWER_TIMEOUT, self.sockets.request(sent)).await {
            Ok(answer) => answer.map_err(io::Error::other),
            Err(_) => Err(io::Error::new(ErrorKind::TimedOut, "the bucket does not answer")),
        }
    }
}

/// The error of an answer that is no success, and whether another try may help.
async fn refused(answer: Response<hyper::body::Incoming>) -> (io::Error, bool) {
    let status = answer.status();
    let kind = match status {
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        StatusCode::RANGE_NOT_SATISFIABLE => ErrorKind::InvalidData,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorKind::PermissionDenied,
        StatusCode::INSUFFICIENT_STORAGE => ErrorKind::StorageFull,
        _ => ErrorKind::Other,
    };
    let again = status == StatusCode::TOO_MANY_REQUESTS
        || (status.is_server_error() && status != StatusCode::INSUFFICIENT_STORAGE);
    let body = Limited::new(answer.into_body(), TEXT).collect().await;
    let body = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
    let code = text_of(&body, "Code").unwrap_or_default();
    // A bucket that is missing is not the same as an object that is.
    let kind = if code == "NoSuchBucket" { ErrorKind::Other } else { kind };
    (io::Error::new(kind, format!("the bucket answered {status} {code}")), again)
}

fn roots(authority: Option<&[u8]>) -> Result<RootCertStore, BucketError> {
    let Some(pem) = authority else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let unusable = |error: &dyn std::fmt::Display| BucketError::Authority(error.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() { Err(unusable(&"it holds none")) } else { Ok(roots) }
}
