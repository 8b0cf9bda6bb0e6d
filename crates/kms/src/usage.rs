//! What keys are made for: the usages, and the algorithms that go with them (`products.md` §3.4).
//!
//! Symmetric keys are of the region's kind: SM4 in the regions of mainland China, whose KMS follows the Chinese standards and takes
//! imported material of 128 bits, and AES-256 in the others, whose KMS follows FIPS 140-2 and takes 256 bits. Every other usage can
//! be had in every region: no source says where one is missing.

use rookery_signing::{Algorithm as SigningAlgorithm, KeyUsage as SigningUsage};
use serde::{Deserialize, Serialize};

use crate::error::{Error, shortened};

/// The usages that keys can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyUsage {
    #[serde(rename = "ENCRYPT_DECRYPT")]
    EncryptDecrypt,
    #[serde(rename = "ASYMMETRIC_DECRYPT_RSA_2048")]
    DecryptRsa2048,
    #[serde(rename = "ASYMMETRIC_DECRYPT_SM2")]
    DecryptSm2,
    #[serde(rename = "ASYMMETRIC_SIGN_VERIFY_RSA_2048")]
    SignVerifyRsa2048,
    #[serde(rename = "ASYMMETRIC_SIGN_VERIFY_ECC")]
    SignVerifyEcc,
    #[serde(rename = "ASYMMETRIC_SIGN_VERIFY_ECDSA384")]
    SignVerifyEcdsa384,
    #[serde(rename = "ASYMMETRIC_SIGN_VERIFY_SM2")]
    SignVerifySm2,
    #[serde(rename = "ASYMMETRIC_DECRYPT_ML_KEM_1024")]
    DecryptMlKem1024,
    #[serde(rename = "ASYMMETRIC_SIGN_VERIFY_ML_DSA_87")]
    SignVerifyMlDsa87,
}

impl KeyUsage {
    /// Every usage.
    pub(crate) const ALL: [Self; 9] = [
        Self::EncryptDecrypt,
        Self::DecryptSm2,
        Self::DecryptRsa2048,
        Self::SignVerifySm2,
        Self::SignVerifyEcc,
        Self::SignVerifyEcdsa384,
        Self::SignVerifyRsa2048,
        Self::DecryptMlKem1024,
        Self::SignVerifyMlDsa87,
    ];
    /// The usage of a key for which none is asked, and of the keys that a list shows for which none is asked.
    pub(crate) const DEFAULT: Self = Self::EncryptDecrypt;

    /// The word on the wire. Those of the post-quantum usages are formed like their sisters', since no source has them.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::EncryptDecrypt => "ENCRYPT_DECRYPT",
            Self::DecryptRsa2048 => "ASYMMETRIC_DECRYPT_RSA_2048",
            Self::DecryptSm2 => "ASYMMETRIC_DECRYPT_SM2",
            Self::SignVerifyRsa2048 => "ASYMMETRIC_SIGN_VERIFY_RSA_2048",
            Self::SignVerifyEcc => "ASYMMETRIC_SIGN_VERIFY_ECC",
            Self::SignVerifyEcdsa384 => "ASYMMETRIC_SIGN_VERIFY_ECDSA384",
            Self::SignVerifySm2 => "ASYMMETRIC_SIGN_VERIFY_SM2",
            Self::DecryptMlKem1024 => "ASYMMETRIC_DECRYPT_ML_KEM_1024",
            Self::SignVerifyMlDsa87 => "ASYMMETRIC_SIGN_VERIFY_ML_DSA_87",
        }
    }

    /// The usage of that word.
    pub(crate) fn parse(word: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|usage| usage.word() == word);
        found.ok_or_else(|| Error::UnknownKeyUsage(shortened(word)))
    }

    /// Refuses keys of another usage than `self`, which is the one that an action is for.
    pub(crate) fn expect(self, found: Self) -> Result<(), Error> {
        if self == found { Ok(()) } else { Err(Error::WrongUsage(found.word())) }
    }

    /// Whether the key is made of a public and a private half.
    pub(crate) fn is_asymmetric(self) -> bool {
        self != Self::EncryptDecrypt
    }

    /// The algorithms that keys of this usage sign with by `SignByAsymmetricKey`.
    pub(crate) fn signs_with(self) -> &'static [Algorithm] {
        match self {
            Self::SignVerifyRsa2048 => &[Algorithm::RsaPssSha256, Algorithm::RsaPkcs1Sha256],
            Self::SignVerifyEcc => &[Algorithm::EcdsaP256Sha256],
            Self::SignVerifyEcdsa384 => &[Algorithm::EcdsaP384Sha384],
            Self::SignVerifySm2 => &[Algorithm::Sm2],
            Self::EncryptDecrypt
            | Self::DecryptRsa2048
            | Self::DecryptSm2
            | Self::DecryptMlKem1024
            | Self::SignVerifyMlDsa87 => &[],
        }
    }

    /// What keys of this usage decrypt with, as `ListAlgorithms` names it; nothing for those that are symmetric or sign.
    pub(crate) fn decrypts_with(self) -> Option<&'static str> {
        match self {
            Self::DecryptRsa2048 => Some("RSA_2048"),
            Self::DecryptSm2 => Some("SM2"),
            Self::DecryptMlKem1024 => Some("ML_KEM_1024"),
            _ => None,
        }
    }

    /// What keys of this usage sign with by `PostQuantumCryptoSign`, as `ListAlgorithms` names it.
    pub(crate) fn signs_post_quantum_with(self) -> Option<&'static str> {
        (self == Self::SignVerifyMlDsa87).then_some("ML_DSA_87")
    }

    /// `algorithm`, provided that keys of this usage sign with it.
    pub(crate) fn suited(self, algorithm: Algorithm) -> Result<Algorithm, Error> {
        let suited = self.signs_with().contains(&algorithm);
        if suited { Ok(algorithm) } else { Err(Error::UnsuitedAlgorithm(self.word())) }
    }

    /// What the signers of images know the usage as; they know two.
    pub(crate) fn for_images(self) -> Option<SigningUsage> {
        match self {
            Self::SignVerifyRsa2048 => Some(SigningUsage::Rsa2048),
            Self::SignVerifyEcc => Some(SigningUsage::EccP256),
            _ => None,
        }
    }
}

/// How a message is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    RsaPssSha256,
    RsaPkcs1Sha256,
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    Sm2,
}

impl Algorithm {
    const ALL: [Self; 5] =
        [Self::RsaPssSha256, Self::RsaPkcs1Sha256, Self::EcdsaP256Sha256, Self::EcdsaP384Sha384, Self::Sm2];

    /// The word on the wire. That of ECDSA on P-384 is formed like its sister's, since no source has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::RsaPssSha256 => "RSA_PSS_SHA_256",
            Self::RsaPkcs1Sha256 => "RSA_PKCS1_SHA_256",
            Self::EcdsaP256Sha256 => "ECC_P256_R1",
            Self::EcdsaP384Sha384 => "ECC_P384_R1",
            Self::Sm2 => "SM2DSA",
        }
    }

    /// The algorithm of that word.
    pub(crate) fn parse(word: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.word() == word);
        found.ok_or_else(|| Error::value("Algorithm", word))
    }

    /// The length of the digests that it signs, in bytes.
    pub(crate) fn digest_length(self) -> usize {
        if self == Self::EcdsaP384Sha384 { 48 } else { 32 }
    }
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::RsaPkcs1Sha256 => Self::RsaPkcs1Sha256,
            SigningAlgorithm::RsaPssSha256 => Self::RsaPssSha256,
            SigningAlgorithm::EcdsaP256Sha256 => Self::EcdsaP256Sha256,
        }
    }
}

/// The cipher of a symmetric key; both in Galois counter mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cipher {
    #[serde(rename = "AES_256")]
    Aes256,
    #[serde(rename = "SM4")]
    Sm4,
}

/// The regions whose KMS follows the Chinese standards: those of mainland China.
const SM_REGIONS: [&str; 10] = [
    "ap-guangzhou",
    "ap-shanghai",
    "ap-beijing",
    "ap-chengdu",
    "ap-chongqing",
    "ap-nanjing",
    "ap-shanghai-fsi",
    "ap-shenzhen-fsi",
    "ap-beijing-fsi",
    "ap-guangzhou-open",
];

impl Cipher {
    /// The cipher of the symmetric keys of a region.
    pub(crate) fn of_region(region: &str) -> Self {
        if SM_REGIONS.contains(&region) { Self::Sm4 } else { Self::Aes256 }
    }

    /// The word in `ListAlgorithms`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Aes256 => "AES_256",
            Self::Sm4 => "SM4",
        }
    }

    /// The length of its keys, in bytes.
    pub(crate) fn key_length(self) -> usize {
        match self {
            Self::Aes256 => 32,
            Self::Sm4 => 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usage_and_algorithm_is_read_as_it_is_written() {
        for usage in KeyUsage::ALL {
            assert_eq!(KeyUsage::parse(usage.word()).unwrap(), usage);
            assert_eq!(serde_json::to_value(usage).unwrap(), usage.word());
        }
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.word()).unwrap(), algorithm);
            let suited = KeyUsage::ALL.into_iter().filter(|usage| usage.suited(algorithm).is_ok());
            assert_eq!(suited.count(), 1, "{algorithm:?}");
        }
        assert!(matches!(KeyUsage::parse("encrypt_decrypt"), Err(Error::UnknownKeyUsage(_))));
        assert!(matches!(Algorithm::parse(""), Err(Error::InvalidValue { .. })));
    }

    #[test]
    fn every_region_has_a_cipher_of_its_side() {
        for (region, cipher) in [
            ("ap-guangzhou", Cipher::Sm4),
            ("ap-shanghai-fsi", Cipher::Sm4),
            ("ap-hongkong", Cipher::Aes256),
            ("na-ashburn", Cipher::Aes256),
        ] {
            assert_eq!(Cipher::of_region(region), cipher);
        }
        for region in SM_REGIONS {
            assert!(rookery_api::region::find(region).is_some(), "{region}");
        }
    }
}
