//! The X.509 certificate of a key, which Notation wants: self-signed, made by the key itself through the
//! [`Signer`](crate::Signer) seam.
//!
//! Everything in it follows from the key, so making it again yields the same certificate, for RSA byte for byte. It never
//! expires: how long a key is trusted is decided by whoever puts the certificate into a trust store.

use std::cell::RefCell;

use rcgen::string::PrintableString;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, SerialNumber, SignatureAlgorithm, SigningKey,
};
use thiserror::Error;
use time::macros::datetime;

use crate::der;
use crate::digest::Digest;
use crate::pem;
use crate::signer::{KeyDescription, KeyName, KeyUsage};

/// The country of a subject, which Notation demands; every region of the platform belongs to it.
const COUNTRY: &str = "CN";
/// What precedes the key itself in the `SubjectPublicKeyInfo` of an RSA key of 2048 bits with the exponent 65537.
pub(crate) const RSA_2048_PREFIX: &[u8] = &[
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
    0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
];
/// What precedes the point in the `SubjectPublicKeyInfo` of a P-256 key.
pub(crate) const P256_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Why a key has no certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The described public key is not one of the described usage.
    #[error("the public key is not one of its usage")]
    PublicKey,
    /// The certificate could not be put together.
    #[error(transparent)]
    Encoding(#[from] rcgen::Error),
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// A certificate that was made before.
    #[must_use]
    pub fn from_der(der: Vec<u8>) -> Self {
        Self(der)
    }

    /// A certificate in PEM; `None` for a text that holds none.
    #[must_use]
    pub fn from_pem(text: &str) -> Option<Self> {
        pem::decode("CERTIFICATE", text).map(Self)
    }

    /// The certified key as a DER `SubjectPublicKeyInfo`; `None` for what is no certificate.
    #[must_use]
    pub fn public_key(&self) -> Option<&[u8]> {
        let (certificate, _) = der::element(&self.0)?;
        let (to_be_signed, _) = der::element(certificate.content)?;
        let mut rest = to_be_signed.content;
        // The version is the only optional element in front.
        if rest.first() == Some(&0xa0) {
            (_, rest) = der::element(rest)?;
        }
        // Serial number, algorithm, issuer, validity, subject.
        for _ in 0..5 {
            (_, rest) = der::element(rest)?;
        }
        der::element(rest).map(|(key, _)| key.whole)
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// The certificate in PEM, as trust stores take it.
    #[must_use]
    pub fn pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.0)
    }

    /// SHA-256 of the certificate in lower-case hex.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        Digest::of(&self.0).hex()
    }
}

/// The bytes that the key has to sign with [`KeyUsage::algorithm`] for its certificate.
pub fn to_be_signed(key: &KeyName, description: &KeyDescription) -> Result<Vec<u8>, CertificateError> {
    let remote = Remote::new(description, &[])?;
    parameters(key, description)?.self_signed(&remote)?;
    Ok(remote.to_be_signed.take())
}

/// The certificate with the raw signature over its [`to_be_signed`] bytes.
pub fn signed(
    key: &KeyName,
    description: &KeyDescription,
    raw: &[u8],
) -> Result<Certificate, CertificateError> {
    let remote = Remote::new(description, raw)?;
    let certificate = parameters(key, description)?.self_signed(&remote)?;
    Ok(Certificate(certificate.der().to_vec()))
}

/// Subject and issuer of a key's certificate, as Notation's trust policies name it (`x509.subject: …`).
#[must_use]
pub fn subject(key: &KeyName) -> String {
    let [state, organization, name] = [&key.region, &organization(key), &key.id].map(|text| escaped(text));
    format!("C={COUNTRY}, ST={state}, O={organization}, CN={name}")
}

/// The account that owns the key.
fn organization(key: &KeyName) -> String {
    format!("uin {}", key.account)
}

/// An attribute's value in the notation of RFC 4514.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (position, character) in text.char_indices() {
        let at_an_end = position == 0 || position + character.len_utf8() == text.len();
        if "\"+,;<=>\\".contains(character) || (at_an_end && " #".contains(character)) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A leaf for signing code, valid from before any signature until the date that RFC 5280 has for no end (§4.1.2.5).
fn parameters(key: &KeyName, description: &KeyDescription) -> Result<CertificateParams, CertificateError> {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, DnValue::PrintableString(PrintableString::try_from(COUNTRY)?));
    subject.push(DnType::StateOrProvinceName, key.region.as_str());
    subject.push(DnType::OrganizationName, organization(key));
    subject.push(DnType::CommonName, key.id.as_str());
    // A positive number of 20 bytes at most (§4.1.2.2).
    let mut serial: Vec<u8> = Digest::of(&description.public_key).bytes().iter().take(20).copied().collect();
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    let mut parameters = CertificateParams::default();
    parameters.not_before = datetime!(1970-01-01 0:00 UTC);
    parameters.not_after = datetime!(9999-12-31 23:59:59 UTC);
    parameters.serial_number = Some(SerialNumber::from(serial));
    parameters.distinguished_name = subject;
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    Ok(parameters)
}

/// A key that signs elsewhere: notes what is to be signed, and hands out the signature that was made of it.
struct Remote<'a> {
    public_key: &'a [u8],
    algorithm: &'static SignatureAlgorithm,
    raw: &'a [u8],
    to_be_signed: RefCell<Vec<u8>>,
}

impl<'a> Remote<'a> {
    fn new(description: &'a KeyDescription, raw: &'a [u8]) -> Result<Self, CertificateError> {
        let (prefix, length, algorithm) = match description.usage {
            KeyUsage::Rsa2048 => (RSA_2048_PREFIX, 270, &PKCS_RSA_SHA256),
            KeyUsage::EccP256 => (P256_PREFIX, 65, &PKCS_ECDSA_P256_SHA256),
        };
        let public_key = description.public_key.strip_prefix(prefix);
        let public_key = public_key.filter(|key| key.len() == length).ok_or(CertificateError::PublicKey)?;
        Ok(Self { public_key, algorithm, raw, to_be_signed: RefCell::default() })
    }
}

impl PublicKeyData for Remote<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public_key
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for Remote<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.to_be_signed.replace(message.to_vec());
        Ok(self.raw.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> KeyName {
        KeyName { account: 100_000_000_001, region: "ap-guangzhou".into(), id: id.into() }
    }

    fn description(usage: KeyUsage) -> KeyDescription {
        let public_key = match usage {
            KeyUsage::Rsa2048 => [RSA_2048_PREFIX, &[1; 270]].concat(),
            KeyUsage::EccP256 => [P256_PREFIX, &[1; 65]].concat(),
        };
        KeyDescription { usage, public_key, enabled: true }
    }

    #[test]
    fn everything_but_the_signature_follows_from_the_key() {
        for usage in [KeyUsage::Rsa2048, KeyUsage::EccP256] {
            let (key, description) = (key("08408a30"), description(usage));
            let bytes = to_be_signed(&key, &description).unwrap();
            assert_eq!(to_be_signed(&key, &description).unwrap(), bytes);
            let certificate = signed(&key, &description, b"raw signature").unwrap();
            assert_eq!(signed(&key, &description, b"raw signature").unwrap(), certificate);
            // The signed bytes are in the certificate after its outer header, the signature at its end.
            assert_eq!(&certificate.der()[4..4 + bytes.len()], bytes);
            assert!(certificate.der().ends_with(b"raw signature"));
            assert!(bytes.windows(description.public_key.len()).any(|part| part == description.public_key));
        }
    }

    #[test]
    fn keys_have_certificates_of_their_own() {
        let description = description(KeyUsage::EccP256);
        let one = to_be_signed(&key("one"), &description).unwrap();
        assert_ne!(to_be_signed(&key("two"), &description).unwrap(), one);
    }

    #[test]
    fn a_public_key_of_another_usage_is_refused() {
        for (usage, other) in [(KeyUsage::Rsa2048, KeyUsage::EccP256), (KeyUsage::EccP256, KeyUsage::Rsa2048)]
        {
            let mixed = KeyDescription { usage, ..description(other) };
            assert_eq!(to_be_signed(&key("a"), &mixed), Err(CertificateError::PublicKey));
            let mut short = description(usage);
            short.public_key.pop();
            assert_eq!(signed(&key("a"), &short, b"raw"), Err(CertificateError::PublicKey));
        }
    }

    #[test]
    fn subjects_are_written_as_trust_policies_name_them() {
        assert_eq!(subject(&key("a-1")), "C=CN, ST=ap-guangzhou, O=uin 100000000001, CN=a-1");
        assert!(subject(&key(" a,b=c# ")).ends_with(r"CN=\ a\,b\=c#\ "));
    }

    #[test]
    fn a_certificate_has_a_text_form_and_a_thumbprint() {
        let certificate = Certificate::from_der(Vec::new());
        assert_eq!(certificate.pem(), "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n");
        let thumbprint = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(certificate.thumbprint(), thumbprint);
    }
}
