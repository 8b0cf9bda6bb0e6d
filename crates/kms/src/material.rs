//! Key pairs: made, kept, and what each of them does. RSA and the NIST curves are those of aws-lc-rs, SM2 and the
//! post-quantum ones those of [`primitives`](crate::primitives).

use aws_lc_rs::digest::SHA256;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey,
    PrivateDecryptingKey,
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_seal::Seal;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::keys::{KeyId, Material, seal_context};
use crate::message::Message;
use crate::primitives::ml_dsa::MlDsaKeyPair;
use crate::primitives::ml_kem::MlKemKeyPair;
use crate::primitives::sm2::{Sm2KeyPair, Sm2PublicKey};
use crate::usage::{Algorithm, KeyUsage};

/// An RSA key of 2,048 bits encrypts to as many.
const RSA_LENGTH: usize = 256;

/// A key pair that has just been made, as it is to be kept.
pub(crate) struct NewKeyPair {
    /// DER `SubjectPublicKeyInfo`.
    public_key: Vec<u8>,
    /// PKCS#8; for ML-KEM the decapsulation key of FIPS 203.
    private_key: Zeroizing<Vec<u8>>,
}

impl NewKeyPair {
    /// A new key pair. For RSA this searches primes, for a time that varies around 0.2 s.
    pub(crate) fn generate(usage: KeyUsage) -> Result<Self, Error> {
        match usage {
            KeyUsage::EncryptDecrypt => Err(Error::Damaged("a symmetric key has no key pair")),
            KeyUsage::SignVerifyRsa2048 | KeyUsage::DecryptRsa2048 => Self::rsa(),
            KeyUsage::SignVerifyEcc => Self::ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
            KeyUsage::SignVerifyEcdsa384 => Self::ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
            KeyUsage::SignVerifySm2 | KeyUsage::DecryptSm2 => {
                let pair = Sm2KeyPair::generate()?;
                Ok(Self { public_key: pair.public_key().to_der()?, private_key: pair.to_pkcs8()? })
            }
            KeyUsage::DecryptMlKem1024 => {
                let (pair, public_key) = MlKemKeyPair::generate()?;
                Ok(Self { public_key, private_key: pair.to_bytes()? })
            }
            KeyUsage::SignVerifyMlDsa87 => {
                let pair = MlDsaKeyPair::generate()?;
                Ok(Self { public_key: pair.public_key_der()?, private_key: pair.to_pkcs8()? })
            }
        }
    }

    /// A new RSA key pair of 2,048 bits.
    pub(crate) fn rsa() -> Result<Self, Error> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(ungenerated)?;
        let public_key: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(unwritable)?;
        let private_key: Pkcs8V1Der<'_> = pair.as_der().map_err(unwritable)?;
        Ok(Self::of(public_key.as_ref(), private_key.as_ref()))
    }

    fn ecdsa(curve: &'static EcdsaSigningAlgorithm) -> Result<Self, Error> {
        let pair = EcdsaKeyPair::generate(curve).map_err(ungenerated)?;
        let public_key: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(unwritable)?;
        let private_key = pair.to_pkcs8v1().map_err(unwritable)?;
        Ok(Self::of(public_key.as_ref(), private_key.as_ref()))
    }

    fn of(public_key: &[u8], private_key: &[u8]) -> Self {
        Self { public_key: public_key.to_vec(), private_key: Zeroizing::new(private_key.to_vec()) }
    }

    /// The key pair of a key as it is kept.
    pub(crate) fn to_material(&self, seal: &Seal, id: &KeyId) -> Result<Material, Error> {
        self.sealed(seal, &seal_context(id))
    }

    /// The key pair as it is kept, with the private half sealed for `context`.
    pub(crate) fn sealed(&self, seal: &Seal, context: &str) -> Result<Material, Error> {
        Ok(Material {
            public_key: BASE64_STANDARD.encode(&self.public_key),
            private_key: seal.seal(context, &self.private_key)?,
        })
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn ungenerated(_: aws_lc_rs::error::Unspecified) -> Error {
    Error::Cryptography("a key pair could not be generated")
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn unwritable(_: aws_lc_rs::error::Unspecified) -> Error {
    Error::Cryptography("a key pair could not be encoded")
}

/// An unsealed key pair.
pub(crate) enum KeyPair {
    RsaSigning(RsaKeyPair),
    RsaDecrypting(RsaDecryption),
    Ecdsa(Algorithm, EcdsaKeyPair),
    Sm2(Sm2KeyPair),
    MlKem(MlKemKeyPair),
    MlDsa(MlDsaKeyPair),
}

impl KeyPair {
    /// The key pair of an unsealed private key.
    pub(crate) fn from_pkcs8(usage: KeyUsage, pkcs8: &[u8]) -> Result<Self, Error> {
        let ecdsa = |algorithm, curve| {
            EcdsaKeyPair::from_pkcs8(curve, pkcs8)
                .map(|pair| Self::Ecdsa(algorithm, pair))
                .map_err(unreadable)
        };
        match usage {
            KeyUsage::EncryptDecrypt => Err(Error::Damaged("a symmetric key has a key pair")),
            KeyUsage::SignVerifyRsa2048 => {
                RsaKeyPair::from_pkcs8(pkcs8).map(Self::RsaSigning).map_err(unreadable)
            }
            KeyUsage::DecryptRsa2048 => RsaDecryption::from_pkcs8(pkcs8).map(Self::RsaDecrypting),
            KeyUsage::SignVerifyEcc => ecdsa(Algorithm::EcdsaP256Sha256, &ECDSA_P256_SHA256_ASN1_SIGNING),
            KeyUsage::SignVerifyEcdsa384 => {
                ecdsa(Algorithm::EcdsaP384Sha384, &ECDSA_P384_SHA384_ASN1_SIGNING)
            }
            KeyUsage::SignVerifySm2 | KeyUsage::DecryptSm2 => Sm2KeyPair::from_pkcs8(pkcs8).map(Self::Sm2),
            KeyUsage::DecryptMlKem1024 => MlKemKeyPair::from_bytes(pkcs8).map(Self::MlKem),
            KeyUsage::SignVerifyMlDsa87 => MlDsaKeyPair::from_pkcs8(pkcs8).map(Self::MlDsa),
        }
    }

    /// The raw signature over a message; for ECDSA and SM2 the ASN.1 DER sequence of r and s.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &Message) -> Result<Vec<u8>, Error> {
        match (self, algorithm) {
            (Self::RsaSigning(pair), Algorithm::RsaPkcs1Sha256) => sign_rsa(pair, &RSA_PKCS1_SHA256, message),
            (Self::RsaSigning(pair), Algorithm::RsaPssSha256) => sign_rsa(pair, &RSA_PSS_SHA256, message),
            (Self::Ecdsa(own, pair), asked) if *own == asked => pair
                .sign_digest(&message.sha2(asked)?)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| Error::Cryptography("an ECDSA signature could not be made")),
            (Self::Sm2(pair), Algorithm::Sm2) => match message {
                Message::Raw(text) => pair.sign(text),
                Message::Digest(_) => pair.sign_digest(&message.sm3()?),
            },
            _ => Err(Error::Damaged("a key pair is not of its key's usage")),
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn unreadable(_: aws_lc_rs::error::KeyRejected) -> Error {
    Error::Damaged("a private key does not parse")
}

fn sign_rsa(
    pair: &RsaKeyPair,
    encoding: &'static dyn RsaEncoding,
    message: &Message,
) -> Result<Vec<u8>, Error> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(encoding, &message.sha2(Algorithm::RsaPssSha256)?, &mut signature)
        .map_err(|_| Error::Cryptography("an RSA signature could not be made"))?;
    Ok(signature)
}

/// How a text was encrypted with an RSA public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum RsaPadding {
    #[serde(rename = "RSAES_PKCS1_V1_5")]
    Pkcs1,
    #[serde(rename = "RSAES_OAEP_SHA_1")]
    OaepSha1,
    #[serde(rename = "RSAES_OAEP_SHA_256")]
    OaepSha256,
}

impl RsaPadding {
    /// The padding of that name; `parameter` is what carries it.
    pub(crate) fn parse(parameter: &'static str, name: &str) -> Result<Self, Error> {
        match name {
            "RSAES_PKCS1_V1_5" => Ok(Self::Pkcs1),
            "RSAES_OAEP_SHA_1" => Ok(Self::OaepSha1),
            "RSAES_OAEP_SHA_256" => Ok(Self::OaepSha256),
            _ => Err(Error::value(parameter, name)),
        }
    }
}

/// An RSA private key that decrypts.
pub(crate) struct RsaDecryption {
    pkcs1: Pkcs1PrivateDecryptingKey,
    oaep: OaepPrivateDecryptingKey,
}

impl RsaDecryption {
    /// Reads a private key in PKCS#8.
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Error> {
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(unreadable)?;
        let unusable = |_| Error::Damaged("a private key does not decrypt");
        Ok(Self {
            pkcs1: Pkcs1PrivateDecryptingKey::new(key.clone()).map_err(unusable)?,
            oaep: OaepPrivateDecryptingKey::new(key).map_err(unusable)?,
        })
    }

    /// What a ciphertext holds; `None` unless it was encrypted with the public key in that way.
    pub(crate) fn decrypt(&self, padding: RsaPadding, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if ciphertext.len() != RSA_LENGTH {
            return None;
        }
        let mut text = Zeroizing::new(vec![0; RSA_LENGTH]);
        let length = match padding {
            RsaPadding::Pkcs1 => self.pkcs1.decrypt(ciphertext, &mut text).map(|text| text.len()),
            RsaPadding::OaepSha1 => {
                self.oaep.decrypt(&OAEP_SHA1_MGF1SHA1, ciphertext, &mut text, None).map(|text| text.len())
            }
            RsaPadding::OaepSha256 => {
                self.oaep.decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, &mut text, None).map(|text| text.len())
            }
        };
        text.truncate(length.ok()?);
        Some(text)
    }
}

/// Whether `signature` is one over `message`, by a public key in Base64 as [`Material`] holds it.
pub(crate) fn verify(
    public_key: &str,
    algorithm: Algorithm,
    message: &Message,
    signature: &[u8],
) -> Result<bool, Error> {
    let der = public_key_der(public_key)?;
    let verification: &'static dyn VerificationAlgorithm = match algorithm {
        Algorithm::RsaPkcs1Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RsaPssSha256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
        Algorithm::EcdsaP384Sha384 => &ECDSA_P384_SHA384_ASN1,
        Algorithm::Sm2 => {
            let key = Sm2PublicKey::from_der(&der).ok_or(Error::Damaged("a public key does not parse"))?;
            return Ok(match message {
                Message::Raw(text) => key.verify(text, signature),
                Message::Digest(_) => key.verify_digest(&message.sm3()?, signature),
            });
        }
    };
    let key =
        ParsedPublicKey::new(verification, der).map_err(|_| Error::Damaged("a public key does not parse"))?;
    Ok(key.verify_digest_sig(&message.sha2(algorithm)?, signature).is_ok())
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

/// The SHA-256 of a text.
pub(crate) fn sha256(text: &[u8]) -> aws_lc_rs::digest::Digest {
    aws_lc_rs::digest::digest(&SHA256, text)
}
