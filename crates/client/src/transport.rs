//! HTTP and TLS: one request, one reply.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// A call waits this long for its whole reply, as the official SDKs do.
const TIMEOUT: Duration = Duration::from_mins(1);
/// A connection that takes longer than this to open is given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The platform's replies hold at most 50 MB.
const LARGEST_REPLY: usize = 64 * 1024 * 1024;

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// The public authorities (Mozilla's list).
    #[default]
    Public,
    /// The authorities of this PEM text and no others, for instance a data directory's `ca.pem`.
    Authority(Vec<u8>),
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The PEM text of [`Trust::Authority`] holds no certificate, or a broken one.
    #[error("the authority's certificate cannot be read: {0}")]
    Trust(String),
    /// No connection was made, so no server saw the request.
    #[error("{url}: no connection: {reason}")]
    Connect {
        /// The address called.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The connection broke before the reply was complete; the server may have acted.
    #[error("{url}: the connection broke: {reason}")]
    Broken {
        /// The address called.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The reply was not complete in time; the server may have acted.
    #[error("{url}: no reply within {after:?}")]
    Timeout {
        /// The address called.
        url: String,
        /// The time allowed.
        after: Duration,
    },
    /// The reply is larger than any of the platform's.
    #[error("{url}: the reply is larger than {LARGEST_REPLY} bytes")]
    TooLarge {
        /// The address called.
        url: String,
    },
    /// The address or a header has characters that HTTP does not allow.
    #[error("{url}: {reason}")]
    Malformed {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
}

/// A way of reaching servers. Keeps connections; clones share them.
#[derive(Clone, Debug)]
pub struct Transport {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Transport {
    /// A transport that trusts `trust`, with the official SDKs' timeout of a minute. Proxies of the environment are not asked.
    pub fn new(trust: &Trust) -> Result<Self, TransportError> {
        let unusable = |reason: rustls::Error| TransportError::Trust(reason.to_string());
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots(trust)?)
            .with_no_client_auth();
        let mut sockets = HttpConnector::new();
        sockets.enforce_http(false);
        sockets.set_nodelay(true);
        sockets.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(sockets);
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), timeout: TIMEOUT })
    }

    /// The time that a reply may take, from the first attempt to connect to its last byte.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends a request and reads the whole reply, whatever its status.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        // Without the query: there it may hold a token, and errors end up in logs.
        let url = request.uri().to_string();
        let url = url.split('?').next().unwrap_or_default().to_owned();
        let exchange = self.exchange(&url, request);
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(reply) => reply,
            Err(_) => Err(TransportError::Timeout { url, after: self.timeout }),
        }
    }

    async fn exchange(&self, url: &str, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let reply = self.client.request(request.map(Full::new)).await.map_err(|error| {
            let (url, reason) = (url.to_owned(), chain(&error));
            if error.is_connect() {
                TransportError::Connect { url, reason }
            } else {
                TransportError::Broken { url, reason }
            }
        })?;
        let (head, body) = reply.into_parts();
        let body = Limited::new(body, LARGEST_REPLY).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                TransportError::TooLarge { url: url.to_owned() }
            } else {
                TransportError::Broken { url: url.to_owned(), reason: chain(error.as_ref()) }
            }
        })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    /// Gets a text; a status other than 200 gives `None`.
    pub async fn get(&self, url: &str) -> Result<Option<String>, TransportError> {
        let request = Request::get(url)
            .body(Bytes::new())
            .map_err(|error| TransportError::Malformed { url: url.to_owned(), reason: error.to_string() })?;
        let reply = self.send(request).await?;
        let found = reply.status() == http::StatusCode::OK;
        Ok(found.then(|| String::from_utf8_lossy(reply.body()).into_owned()))
    }
}

fn roots(trust: &Trust) -> Result<RootCertStore, TransportError> {
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::Public => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Trust::Authority(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| TransportError::Trust(error.to_string()))?;
                roots.add(certificate).map_err(|error| TransportError::Trust(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(TransportError::Trust("no certificate in the text".to_owned()));
            }
        }
    }
    Ok(roots)
}

/// An error with what caused it: hyper keeps the cause out of its own words.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_without_a_certificate_is_refused() {
        for text in ["", "no pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let refused = Transport::new(&Trust::Authority(text.as_bytes().to_vec()));
            assert!(matches!(refused, Err(TransportError::Trust(_))), "{text}");
        }
        assert!(Transport::new(&Trust::Public).is_ok());
    }
}
