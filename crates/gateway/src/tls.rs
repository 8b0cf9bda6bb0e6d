//! TLS with an authority of one's own: a CA made at the first start, and certificates by server name as clients ask for them.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// The CA's certificate, under the data directory: what clients are told to trust.
pub const CA_FILE: &str = "ca.pem";
const CA_KEY_FILE: &str = "ca.key";
/// Names that certificates are kept for; more than this many are made anew each time.
const CERTIFICATES_KEPT: usize = 1024;
/// Within what browsers and TLS libraries accept for a leaf.
const LEAF_DAYS: i64 = 397;

/// Why TLS cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the authority could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused the configuration.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// A server's certificate with its key, for programs that read them from files.
pub struct ServerCertificate {
    /// The certificate, as PEM.
    pub certificate: String,
    /// Its private key, as PEM (PKCS #8).
    pub key: Zeroizing<String>,
    /// When it ends.
    pub until: OffsetDateTime,
}

impl std::fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerCertificate").field("until", &self.until).finish_non_exhaustive()
    }
}

/// The authority: signs a certificate for whatever server name a client asks for.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    certificates: Mutex<HashMap<String, Arc<CertifiedKey>>>,
    now: OffsetDateTime,
}

impl std::fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CertificateAuthority")
    }
}

impl CertificateAuthority {
    /// Reads the authority of `directory`, or makes it (key mode 0600) where there is none.
    pub fn open_or_create(directory: &Path, now: OffsetDateTime) -> Result<Self, TlsError> {
        let (key_path, certificate_path) = (directory.join(CA_KEY_FILE), directory.join(CA_FILE));
        let key = match fs::read_to_string(&key_path) {
            Ok(pem) => KeyPair::from_pem(&pem)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = KeyPair::generate()?;
                write(&key_path, key.serialize_pem().as_bytes(), 0o600)?;
                key
            }
            Err(source) => return Err(TlsError::File { path: key_path, source }),
        };
        let parameters = authority_parameters(now);
        if !certificate_path.exists() {
            write(&certificate_path, parameters.self_signed(&key)?.pem().as_bytes(), 0o644)?;
        }
        let pem = fs::read_to_string(&certificate_path)
            .map_err(|source| TlsError::File { path: certificate_path, source })?;
        Ok(Self { issuer: Issuer::new(parameters, key), pem, certificates: Mutex::default(), now })
    }

    /// The authority's own certificate, as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server of one's own at `now`, with these names and addresses.
    pub fn server_certificate(
        &self,
        names: &[String],
        now: OffsetDateTime,
    ) -> Result<ServerCertificate, TlsError> {
        let (key, parameters) = (KeyPair::generate()?, leaf_parameters(names.to_vec(), "rookery", now)?);
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok(ServerCertificate {
            certificate: certificate.pem(),
            key: Zeroizing::new(key.serialize_pem()),
            until: parameters.not_after,
        })
    }

    /// What accepts TLS connections with this authority's certificates, for HTTP/2 and HTTP/1.1.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        Ok(TlsAcceptor::from(Arc::new(self.server_config()?)))
    }

    pub(crate) fn server_config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Self::resolver_for(None, self));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Certificates by server name, and for `unnamed` where a client gives none; without that, for this machine's own names.
    pub(crate) fn resolver_for(
        unnamed: Option<String>,
        authority: &Arc<Self>,
    ) -> Arc<dyn ResolvesServerCert> {
        Arc::new(ByServerName { authority: Arc::clone(authority), unnamed })
    }

    /// A certificate for `name`, and for this machine's own names where a client asks for an address and so names nothing.
    fn certificate(&self, name: Option<&str>) -> Result<Arc<CertifiedKey>, TlsError> {
        let name = name.unwrap_or_default().to_ascii_lowercase();
        if let Some(kept) = self.certificates.lock().get(&name) {
            return Ok(Arc::clone(kept));
        }
        let names = if name.is_empty() {
            vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]
        } else {
            vec![name.clone()]
        };
        let key = KeyPair::generate()?;
        let common_name = if name.is_empty() { "localhost" } else { "rookery" };
        let parameters = leaf_parameters(names, common_name, self.now)?;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = aws_lc_rs::sign::any_supported_type(&private)?;
        let certified = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signing));
        let mut certificates = self.certificates.lock();
        if certificates.len() < CERTIFICATES_KEPT {
            certificates.insert(name, Arc::clone(&certified));
        }
        Ok(certified)
    }
}

/// Chooses the certificate of a connection.
#[derive(Debug)]
struct ByServerName {
    authority: Arc<CertificateAuthority>,
    unnamed: Option<String>,
}

impl ResolvesServerCert for ByServerName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.authority
            .certificate(hello.server_name().or(self.unnamed.as_deref()))
            .inspect_err(|error| tracing::error!(%error, "no certificate for a TLS client"))
            .ok()
    }
}

fn leaf_parameters(
    names: Vec<String>,
    common_name: &str,
    now: OffsetDateTime,
) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(names)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, common_name);
    parameters.distinguished_name = subject;
    parameters.not_before = now - Duration::days(1);
    parameters.not_after = now + Duration::days(LEAF_DAYS);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

/// The same name and key make the same issuer, so the certificate on disk need not be read back.
fn authority_parameters(now: OffsetDateTime) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "Rookery");
    subject.push(DnType::CommonName, "Rookery local authority");
    parameters.distinguished_name = subject;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.not_before = now - Duration::days(1);
    parameters.not_after = now + Duration::days(3650);
    parameters
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsError> {
    let failed = |source| TlsError::File { path: path.to_owned(), source };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_kept_and_certifies_any_name() {
        let directory = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let first = CertificateAuthority::open_or_create(directory.path(), now).unwrap();
        let pem = fs::read_to_string(directory.path().join(CA_FILE)).unwrap();
        let again = CertificateAuthority::open_or_create(directory.path(), now).unwrap();
        assert_eq!(pem, fs::read_to_string(directory.path().join(CA_FILE)).unwrap());
        let one = first.certificate(Some("tcr.tencentcloudapi.com")).unwrap();
        assert!(Arc::ptr_eq(&one, &first.certificate(Some("TCR.tencentcloudapi.com")).unwrap()));
        assert!(again.certificate(None).is_ok());
        assert_eq!(again.pem(), pem);
        let made = again.server_certificate(&["127.64.0.4".to_owned()], now).unwrap();
        assert!(made.certificate.contains("CERTIFICATE") && made.key.contains("PRIVATE KEY"));
        assert!(made.until > now && !format!("{made:?}").contains("PRIVATE"));
    }
}
