//! The certificates that Notation wants of the keys that sign: one for each key, made by the key itself when it is first
//! needed, and the same from then on, so that whoever trusts it need not look again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rookery_signing::certificate::{self, Certificate, CertificateError};
use rookery_signing::{KeyDescription, KeyName, SignerError};
use rookery_store::{Read, Regional, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::signatures::Signing;

/// The certificate of each key, by the account and the region of the key and its id.
pub(crate) struct Certificates;

/// What is kept of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CertificateRow {
    /// The key's `SubjectPublicKeyInfo` in base64.
    public_key: String,
    /// DER in base64.
    certificate: String,
}

impl Table for Certificates {
    const NAME: &'static str = "tcr.key-certificates";
    type Scope = Regional;
    type Key = String;
    type Row = CertificateRow;
}

/// What verifiers need of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// A DER `SubjectPublicKeyInfo`.
    pub(crate) public_key: Vec<u8>,
    pub(crate) certificate: Certificate,
}

impl CertificateRow {
    fn new(credentials: &Credentials) -> Self {
        Self {
            public_key: STANDARD.encode(&credentials.public_key),
            certificate: STANDARD.encode(credentials.certificate.der()),
        }
    }

    /// `None` where the row is damaged: it is made anew.
    fn read(&self) -> Option<Credentials> {
        let (public_key, der) =
            (STANDARD.decode(&self.public_key).ok()?, STANDARD.decode(&self.certificate).ok()?);
        Some(Credentials { public_key, certificate: Certificate::from_der(der) })
    }
}

fn scope(key: &KeyName) -> Regional {
    Regional { uin: key.account, region: key.region.clone() }
}

/// A key service that answers what is no key or no signature is as good as none.
pub(crate) fn unusable(error: &dyn std::error::Error) -> Error {
    Error::KeyService(SignerError::Unavailable(format!("its answer cannot be used: {error}")))
}

impl Signing {
    /// The public key of a key that is there, and its certificate, made if there is none.
    pub(crate) async fn credentials(&self, key: &KeyName) -> Result<Credentials, Error> {
        let description = self.signer.describe(key).await.map_err(Error::KeyService)?;
        let kept = self.kept_credentials(key)?;
        match kept.filter(|kept| kept.public_key == description.public_key) {
            Some(kept) => Ok(kept),
            None => self.certify(key, description).await,
        }
    }

    /// What is known of a key without asking its service.
    pub(crate) fn kept_credentials(&self, key: &KeyName) -> Result<Option<Credentials>, StoreError> {
        let row = self.store.read(|view| view.get::<Certificates>(&scope(key), &key.id))?;
        Ok(row.and_then(|row| row.read()))
    }

    async fn certify(&self, key: &KeyName, description: KeyDescription) -> Result<Credentials, Error> {
        let unusable = |error: CertificateError| unusable(&error);
        let bytes = certificate::to_be_signed(key, &description).map_err(unusable)?;
        let algorithm = description.usage.algorithm();
        let raw = self.signer.sign(key, algorithm, &bytes).await.map_err(Error::KeyService)?;
        let certificate = certificate::signed(key, &description, &raw).map_err(unusable)?;
        let fresh = Credentials { public_key: description.public_key, certificate };
        let (scope, id, row) = (scope(key), key.id.clone(), CertificateRow::new(&fresh));
        let kept = self
            .store
            .write(move |tx| {
                // Another call may have been quicker: its certificate may be out already.
                if let Some(kept) = tx.get::<Certificates>(&scope, &id)?
                    && kept.public_key == row.public_key
                {
                    return Ok::<_, StoreError>(kept);
                }
                tx.put::<Certificates>(&scope, &id, &row)?;
                Ok(row.clone())
            })
            .await?;
        Ok(kept.read().unwrap_or(fresh))
    }
}
