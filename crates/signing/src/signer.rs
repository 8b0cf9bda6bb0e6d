//! The seam to a key service: who signs is told by the caller, how is known to the service alone.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use thiserror::Error;

/// A boxed future that may move between threads; what makes [`Signer`] usable as `dyn Signer`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The name of a key: whose it is, where it lives, and its id.
///
/// Displayed in the platform's resource notation, `qcs::kms:<region>:uin/<account>:key/<id>`; the creator, which a
/// CAM policy's resource also names, is left out because the id alone is unique.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName {
    /// Uin of the account that owns the key.
    pub account: u64,
    /// Region of the key service: `ap-guangzhou`.
    pub region: String,
    /// Id of the key, a UUID.
    pub id: String,
}

impl fmt::Display for KeyName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "qcs::kms:{}:uin/{}:key/{}", self.region, self.account, self.id)
    }
}

/// What a key was made for, as far as image signatures are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUsage {
    /// `ASYMMETRIC_SIGN_VERIFY_RSA_2048`.
    Rsa2048,
    /// `ASYMMETRIC_SIGN_VERIFY_ECC`, curve P-256.
    EccP256,
}

impl KeyUsage {
    /// The algorithm that verifiers expect of a key, unless a format has its own: PKCS#1 v1.5 for RSA (cosign refuses PSS), ECDSA for
    /// P-256.
    #[must_use]
    pub fn algorithm(self) -> Algorithm {
        match self {
            Self::Rsa2048 => Algorithm::RsaPkcs1Sha256,
            Self::EccP256 => Algorithm::EcdsaP256Sha256,
        }
    }
}

/// How a message is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 over SHA-256; `RSA_PKCS1_SHA_256` of KMS. The only RSA padding that cosign accepts.
    RsaPkcs1Sha256,
    /// RSASSA-PSS over SHA-256 with a salt of 32 bytes; `RSA_PSS_SHA_256` of KMS. The one that Notation demands.
    RsaPssSha256,
    /// ECDSA on P-256 over SHA-256, as an ASN.1 DER sequence of r and s; `ECC_P256_R1` of KMS.
    EcdsaP256Sha256,
}

/// What a key service tells about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDescription {
    /// What the key was made for.
    pub usage: KeyUsage,
    /// The public key as a DER `SubjectPublicKeyInfo`.
    pub public_key: Vec<u8>,
    /// Whether the key would sign now.
    pub enabled: bool,
}

/// A key service, seen from where images are signed.
pub trait Signer: Send + Sync + 'static {
    /// Describes a key. A disabled key, or one that is about to be deleted, is described as not `enabled`.
    fn describe<'a>(&'a self, key: &'a KeyName) -> BoxFuture<'a, Result<KeyDescription, SignerError>>;

    /// Signs `message`, which the service hashes itself and which may have any length; returns the raw signature.
    fn sign<'a>(
        &'a self,
        key: &'a KeyName,
        algorithm: Algorithm,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignerError>>;
}

/// Why a key service did not describe or sign.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignerError {
    /// The account has no such key in that region.
    #[error("the key does not exist")]
    NoSuchKey,
    /// The key is disabled.
    #[error("the key is disabled")]
    KeyDisabled,
    /// The key is scheduled for deletion.
    #[error("the key is scheduled for deletion")]
    KeyPendingDelete,
    /// The key is in another state in which it does not sign; holds the state's name (`PendingImport`, `Archived`).
    #[error("the key is in state {0}")]
    KeyUnusable(String),
    /// The key was made for something other than signing with the algorithm asked for.
    #[error("the key was not made for this algorithm")]
    UnsuitableUsage,
    /// The service cannot answer now; asking again later may help.
    #[error("the key service is unavailable: {0}")]
    Unavailable(String),
}

impl SignerError {
    /// Whether the same request may succeed later with nobody changing the key.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_displayed_in_resource_notation() {
        let key = KeyName { account: 100_000_000_001, region: "ap-guangzhou".into(), id: "08408a30".into() };
        assert_eq!(key.to_string(), "qcs::kms:ap-guangzhou:uin/100000000001:key/08408a30");
    }

    #[test]
    fn rsa_is_padded_as_cosign_wants_it() {
        assert_eq!(KeyUsage::Rsa2048.algorithm(), Algorithm::RsaPkcs1Sha256);
        assert_eq!(KeyUsage::EccP256.algorithm(), Algorithm::EcdsaP256Sha256);
    }

    #[test]
    fn only_an_outage_is_worth_a_retry() {
        assert!(SignerError::Unavailable("down".into()).is_transient());
        for lasting in [
            SignerError::NoSuchKey,
            SignerError::KeyDisabled,
            SignerError::KeyPendingDelete,
            SignerError::KeyUnusable("Archived".into()),
            SignerError::UnsuitableUsage,
        ] {
            assert!(!lasting.is_transient(), "{lasting}");
        }
    }
}
