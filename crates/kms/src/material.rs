//! The cryptography: key pairs, signing and verifying, all over SHA-256 and all by aws-lc-rs.

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_seal::{Seal, Sealed};
use rookery_signing::Algorithm;

use crate::error::Error;
use crate::keys::{KeyId, KeyUsage, Material, seal_context};

/// A SHA-256 digest, which is what is signed: the customer's own, or that of a message.
pub(crate) struct Digest(digest::Digest);

impl Digest {
    /// The digest of a message.
    pub(crate) fn of(message: &[u8]) -> Self {
        Self(digest::digest(&SHA256, message))
    }

    /// A digest that was made elsewhere; `None` unless it is 32 bytes.
    pub(crate) fn import(bytes: &[u8]) -> Option<Self> {
        digest::Digest::import_less_safe(bytes, &SHA256).ok().map(Self)
    }
}

/// An unsealed key pair.
pub(crate) enum KeyPair {
    Rsa(RsaKeyPair),
    EcdsaP256(EcdsaKeyPair),
}

impl KeyPair {
    /// A new key pair. For RSA this searches primes, for a time that varies around 0.2 s.
    pub(crate) fn generate(usage: KeyUsage) -> Result<Self, Error> {
        match usage {
            KeyUsage::SignVerifyRsa2048 => RsaKeyPair::generate(KeySize::Rsa2048).map(Self::Rsa),
            KeyUsage::SignVerifyEcc => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Self::EcdsaP256)
            }
        }
        .map_err(|_| Error::Cryptography("a key pair could not be generated"))
    }

    /// The key pair of an unsealed private key.
    pub(crate) fn from_pkcs8(usage: KeyUsage, pkcs8: &[u8]) -> Result<Self, Error> {
        match usage {
            KeyUsage::SignVerifyRsa2048 => RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rsa),
            KeyUsage::SignVerifyEcc => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).map(Self::EcdsaP256)
            }
        }
        .map_err(|_| Error::Damaged("a private key does not parse"))
    }

    /// The key pair as it is kept. The library wipes the private key's text when it is dropped.
    pub(crate) fn to_material(&self, seal: &Seal, id: &KeyId) -> Result<Material, Error> {
        let unwritable = |_| Error::Cryptography("a key pair could not be encoded");
        let public_key: PublicKeyX509Der<'_> = match self {
            Self::Rsa(pair) => pair.public_key().as_der(),
            Self::EcdsaP256(pair) => pair.public_key().as_der(),
        }
        .map_err(unwritable)?;
        Ok(Material {
            public_key: BASE64_STANDARD.encode(public_key.as_ref()),
            private_key: self.seal_private_key(seal, &seal_context(id))?,
        })
    }

    fn seal_private_key(&self, seal: &Seal, context: &str) -> Result<Sealed, Error> {
        let unwritable = |_| Error::Cryptography("a private key could not be encoded");
        Ok(match self {
            Self::Rsa(pair) => {
                let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(unwritable)?;
                seal.seal(context, pkcs8.as_ref())?
            }
            Self::EcdsaP256(pair) => {
                let pkcs8 = pair.to_pkcs8v1().map_err(unwritable)?;
                seal.seal(context, pkcs8.as_ref())?
            }
        })
    }

    /// The raw signature over a digest; for ECDSA the ASN.1 DER sequence of r and s.
    pub(crate) fn sign(&self, algorithm: Algorithm, digest: &Digest) -> Result<Vec<u8>, Error> {
        match (self, algorithm) {
            (Self::Rsa(pair), Algorithm::RsaPkcs1Sha256) => sign_rsa(pair, &RSA_PKCS1_SHA256, digest),
            (Self::Rsa(pair), Algorithm::RsaPssSha256) => sign_rsa(pair, &RSA_PSS_SHA256, digest),
            (Self::EcdsaP256(pair), Algorithm::EcdsaP256Sha256) => pair
                .sign_digest(&digest.0)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| Error::Cryptography("an ECDSA signature could not be made")),
            _ => Err(Error::Damaged("a key pair is not of its key's usage")),
        }
    }
}

fn sign_rsa(
    pair: &RsaKeyPair,
    encoding: &'static dyn RsaEncoding,
    digest: &Digest,
) -> Result<Vec<u8>, Error> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(encoding, &digest.0, &mut signature)
        .map_err(|_| Error::Cryptography("an RSA signature could not be made"))?;
    Ok(signature)
}

/// Whether `signature` is one over `digest`, by a public key in Base64 as [`Material`] holds it.
pub(crate) fn verify(
    public_key: &str,
    algorithm: Algorithm,
    digest: &Digest,
    signature: &[u8],
) -> Result<bool, Error> {
    let verification: &'static dyn VerificationAlgorithm = match algorithm {
        Algorithm::RsaPkcs1Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RsaPssSha256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
    };
    let key = ParsedPublicKey::new(verification, public_key_der(public_key)?)
        .map_err(|_| Error::Damaged("a public key does not parse"))?;
    Ok(key.verify_digest_sig(&digest.0, signature).is_ok())
}

/// The DER `SubjectPublicKeyInfo` of a public key in Base64, as [`Material`] holds it.
pub(crate) fn public_key_der(public_key: &str) -> Result<Vec<u8>, Error> {
    BASE64_STANDARD.decode(public_key).map_err(|_| Error::Damaged("a public key is not Base64"))
}

/// A public key in Base64 as PEM: lines of 64 characters, each ended.
pub(crate) fn public_key_pem(public_key: &str) -> String {
    let mut pem = String::with_capacity(public_key.len() + 64);
    pem.push_str("-----BEGIN PUBLIC KEY-----\n");
    for (at, character) in public_key.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END PUBLIC KEY-----\n");
    pem
}

/// The algorithm of that name on the wire. `None` for `SM2DSA`, which the platform has and which suits no key that can be made
/// here.
pub(crate) fn algorithm(name: &str) -> Result<Option<Algorithm>, Error> {
    match name {
        "RSA_PKCS1_SHA_256" => Ok(Some(Algorithm::RsaPkcs1Sha256)),
        "RSA_PSS_SHA_256" => Ok(Some(Algorithm::RsaPssSha256)),
        "ECC_P256_R1" => Ok(Some(Algorithm::EcdsaP256Sha256)),
        "SM2DSA" => Ok(None),
        _ => Err(Error::value("Algorithm", name)),
    }
}
