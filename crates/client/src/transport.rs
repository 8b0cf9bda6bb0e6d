//! HTTP, blocking: one request, one reply.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::ClientError;

/// A call waits this long, as the official SDKs do.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// The public authorities.
    #[default]
    Public,
    /// The authority of this PEM text, for instance a data directory's `ca.pem`.
    Authority(Vec<u8>),
}

/// A way of reaching servers. Keeps connections; clones share them.
#[derive(Clone, Debug)]
pub struct Transport {
    agent: ureq::Agent,
}

impl Transport {
    /// A transport that trusts `trust`.
    pub fn new(trust: &Trust) -> Result<Self, ClientError> {
        let roots = match trust {
            Trust::Public => RootCerts::WebPki,
            Trust::Authority(pem) => {
                let authority =
                    Certificate::from_pem(pem).map_err(|error| ClientError::Reply(error.to_string()))?;
                RootCerts::new_with_certs(&[authority])
            }
        };
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .new_agent();
        Ok(Self { agent })
    }

    /// Posts a body and reads the reply's text, whatever its status.
    pub fn post(&self, url: &str, headers: &[(&str, String)], body: &[u8]) -> Result<String, ClientError> {
        let mut request = self.agent.post(url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        read(url, request.send(body))
    }

    /// Gets a text; a status other than 200 gives `None`.
    pub fn get(&self, url: &str) -> Result<Option<String>, ClientError> {
        let reply = self.agent.get(url).call();
        let found = reply.as_ref().is_ok_and(|reply| reply.status() == 200);
        read(url, reply).map(|text| found.then_some(text))
    }
}

fn read(
    url: &str,
    reply: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<String, ClientError> {
    reply
        .and_then(|mut reply| reply.body_mut().with_config().limit(64 * 1024 * 1024).read_to_string())
        .map_err(|source| ClientError::Transport { endpoint: url.to_owned(), source: Box::new(source) })
}
