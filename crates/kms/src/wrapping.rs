//! What a reply would tell in clear, encrypted by a public key of the caller's: `EncryptionPublicKey` and `EncryptionAlgorithm`.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey,
    Pkcs1PublicEncryptingKey, PublicEncryptingKey,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_api::kms::ErrorCode;

use crate::error::{Error, shortened};
use crate::primitives::sm2::Sm2PublicKey;

/// The only length of an RSA key, in bits.
const RSA_BITS: usize = 2048;
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// Why a reply could not be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum WrappingError {
    /// The public key is no PEM of an RSA key of 2,048 bits or an SM2 key.
    #[error("the encryption public key is malformed")]
    MalformedKey,
    /// There is no such algorithm.
    #[error("the encryption algorithm {0} does not exist")]
    UnknownAlgorithm(String),
    /// The algorithm is for the other kind of key.
    #[error("the encryption algorithm does not suit the encryption public key")]
    UnsuitedAlgorithm,
    /// The algorithm does not encrypt so many bytes.
    #[error("the algorithm does not encrypt {0} bytes")]
    Length(usize),
}

impl WrappingError {
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::MalformedKey | Self::UnknownAlgorithm(_) | Self::UnsuitedAlgorithm => {
                ErrorCode::InvalidParameter
            }
            Self::Length(_) => ErrorCode::FailedOperationEncryptionError,
        }
    }

    pub(crate) fn english(&self) -> String {
        match self {
            Self::MalformedKey => "`EncryptionPublicKey` must be the PEM of an RSA public key of 2048 bits or of an SM2 public key.".to_owned(),
            Self::UnknownAlgorithm(name) => format!("The `EncryptionAlgorithm` `{name}` does not exist."),
            Self::UnsuitedAlgorithm => "The `EncryptionAlgorithm` does not suit the `EncryptionPublicKey`.".to_owned(),
            Self::Length(length) => format!("The `EncryptionAlgorithm` cannot encrypt a text of {length} bytes."),
        }
    }

    pub(crate) fn chinese(&self) -> String {
        match self {
            Self::MalformedKey => "`EncryptionPublicKey` 须为 RSA 2048 或 SM2 公钥的 PEM。".to_owned(),
            Self::UnknownAlgorithm(name) => format!("`EncryptionAlgorithm` `{name}` 不存在。"),
            Self::UnsuitedAlgorithm => "`EncryptionAlgorithm` 与 `EncryptionPublicKey` 不匹配。".to_owned(),
            Self::Length(length) => format!("`EncryptionAlgorithm` 无法加密 {length} 字节的内容。"),
        }
    }
}

/// How a text is to be encrypted for the caller.
pub(crate) struct Wrapping(Form);

enum Form {
    /// C1C3C2 as bare bytes.
    Sm2(Sm2PublicKey),
    /// C1C3C2 in ASN.1.
    Sm2Asn1(Sm2PublicKey),
    RsaPkcs1(Pkcs1PublicEncryptingKey),
    RsaOaep(OaepPublicEncryptingKey, &'static OaepAlgorithm),
}

impl Wrapping {
    /// Reads both parameters. `None` where no key is given: the text is told in clear then, whatever the algorithm, which must
    /// still be one. A key without an algorithm is an SM2 key.
    pub(crate) fn read(public_key: Option<&str>, algorithm: Option<&str>) -> Result<Option<Self>, Error> {
        let algorithm = match algorithm.unwrap_or_default() {
            "" | "SM2" => Algorithm::Sm2,
            "SM2_C1C3C2_ASN1" => Algorithm::Sm2Asn1,
            "RSAES_PKCS1_V1_5" => Algorithm::RsaPkcs1,
            "RSAES_OAEP_SHA_1" => Algorithm::RsaOaep(&OAEP_SHA1_MGF1SHA1),
            "RSAES_OAEP_SHA_256" => Algorithm::RsaOaep(&OAEP_SHA256_MGF1SHA256),
            other => return Err(WrappingError::UnknownAlgorithm(shortened(other)).into()),
        };
        let Some(pem) = public_key.filter(|pem| !pem.is_empty()) else { return Ok(None) };
        let der = der(pem).ok_or(WrappingError::MalformedKey)?;
        let form = match (Sm2PublicKey::from_der(&der), algorithm) {
            (Some(key), Algorithm::Sm2) => Form::Sm2(key),
            (Some(key), Algorithm::Sm2Asn1) => Form::Sm2Asn1(key),
            (Some(_), _) => return Err(WrappingError::UnsuitedAlgorithm.into()),
            (None, algorithm) => rsa(&der, algorithm)?,
        };
        Ok(Some(Self(form)))
    }

    /// Encrypts a text for the caller.
    pub(crate) fn wrap(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        let too_long = |_| Error::from(WrappingError::Length(text.len()));
        let mut ciphertext = vec![0; RSA_BITS / 8];
        match &self.0 {
            Form::Sm2(_) | Form::Sm2Asn1(_) if text.is_empty() => Err(WrappingError::Length(0).into()),
            Form::Sm2(key) => key.encrypt_raw(text),
            Form::Sm2Asn1(key) => key.encrypt(text),
            Form::RsaPkcs1(key) => {
                key.encrypt(text, &mut ciphertext).map_err(too_long)?;
                Ok(ciphertext)
            }
            Form::RsaOaep(key, algorithm) => {
                key.encrypt(algorithm, text, &mut ciphertext, None).map_err(too_long)?;
                Ok(ciphertext)
            }
        }
    }
}

/// A text as a reply carries it: in Base64, encrypted for the caller if that is asked for.
pub(crate) fn encode(wrapping: Option<&Wrapping>, text: &[u8]) -> Result<String, Error> {
    Ok(match wrapping {
        Some(wrapping) => BASE64_STANDARD.encode(wrapping.wrap(text)?),
        None => BASE64_STANDARD.encode(text),
    })
}

#[derive(Clone, Copy)]
enum Algorithm {
    Sm2,
    Sm2Asn1,
    RsaPkcs1,
    RsaOaep(&'static OaepAlgorithm),
}

fn rsa(der: &[u8], algorithm: Algorithm) -> Result<Form, WrappingError> {
    let malformed = |_| WrappingError::MalformedKey;
    let key = PublicEncryptingKey::from_der(der).map_err(|_| WrappingError::MalformedKey)?;
    if key.key_size_bits() != RSA_BITS {
        return Err(WrappingError::MalformedKey);
    }
    match algorithm {
        Algorithm::Sm2 | Algorithm::Sm2Asn1 => Err(WrappingError::UnsuitedAlgorithm),
        Algorithm::RsaPkcs1 => Pkcs1PublicEncryptingKey::new(key).map(Form::RsaPkcs1).map_err(malformed),
        Algorithm::RsaOaep(algorithm) => {
            OaepPublicEncryptingKey::new(key).map(|key| Form::RsaOaep(key, algorithm)).map_err(malformed)
        }
    }
}

/// What is between the marks of a PEM. Blanks may stand where lines end: the platform's own example has them.
fn der(pem: &str) -> Option<Vec<u8>> {
    let body = pem.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let text: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    BASE64_STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::rsa::{
        KeySize, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::material::public_key_pem;
    use crate::primitives::sm2::Sm2KeyPair;

    fn sm2() -> (Sm2KeyPair, String) {
        let pair = Sm2KeyPair::generate().unwrap();
        let pem = public_key_pem(&BASE64_STANDARD.encode(pair.public_key().to_der().unwrap()));
        (pair, pem)
    }

    fn rsa(size: KeySize) -> (PrivateDecryptingKey, String) {
        let key = PrivateDecryptingKey::generate(size).unwrap();
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        (key, public_key_pem(&BASE64_STANDARD.encode(der.as_ref())))
    }

    fn read(pem: &str, algorithm: &str) -> Wrapping {
        Wrapping::read(Some(pem), Some(algorithm)).unwrap().unwrap()
    }

    fn refused(pem: &str, algorithm: &str) -> WrappingError {
        match Wrapping::read(Some(pem), Some(algorithm)) {
            Err(Error::Wrapping(refusal)) => refusal,
            _ => panic!("{algorithm} is accepted"),
        }
    }

    #[test]
    fn the_owner_of_an_sm2_key_reads_both_forms() {
        let (pair, pem) = sm2();
        let text = [7; 32];
        let ciphertext = read(&pem, "SM2_C1C3C2_ASN1").wrap(&text).unwrap();
        assert_eq!(**pair.decrypt(&ciphertext).unwrap(), text);
        for algorithm in [None, Some(""), Some("SM2")] {
            let wrapping = Wrapping::read(Some(&pem), algorithm).unwrap().unwrap();
            assert_eq!(wrapping.wrap(&text).unwrap().len(), 128);
        }
        // As the platform's example has it.
        assert!(Wrapping::read(Some(&format!("{} ", pem.replace('\n', " "))), None).unwrap().is_some());
        assert!(matches!(read(&pem, "SM2").wrap(b""), Err(Error::Wrapping(WrappingError::Length(0)))));
    }

    #[test]
    fn the_owner_of_an_rsa_key_reads_each_padding_up_to_its_length() {
        let (key, pem) = rsa(KeySize::Rsa2048);
        let (pkcs1, oaep) = (
            Pkcs1PrivateDecryptingKey::new(key.clone()).unwrap(),
            OaepPrivateDecryptingKey::new(key).unwrap(),
        );
        for (algorithm, padding, limit) in [
            ("RSAES_PKCS1_V1_5", None, 245),
            ("RSAES_OAEP_SHA_1", Some(&OAEP_SHA1_MGF1SHA1), 214),
            ("RSAES_OAEP_SHA_256", Some(&OAEP_SHA256_MGF1SHA256), 190),
        ] {
            let wrapping = read(&pem, algorithm);
            let text = vec![9; limit];
            let ciphertext = wrapping.wrap(&text).unwrap();
            let mut opened = vec![0; 256];
            let opened = match padding {
                None => pkcs1.decrypt(&ciphertext, &mut opened).unwrap(),
                Some(padding) => oaep.decrypt(padding, &ciphertext, &mut opened, None).unwrap(),
            };
            assert_eq!(opened, text, "{algorithm}");
            let refusal = wrapping.wrap(&vec![9; limit + 1]).unwrap_err();
            assert!(matches!(refusal, Error::Wrapping(WrappingError::Length(length)) if length == limit + 1));
        }
    }

    #[test]
    fn keys_and_algorithms_that_do_not_go_together_are_refused() {
        let ((_, sm2), (_, rsa2048), (_, rsa3072)) = (sm2(), rsa(KeySize::Rsa2048), rsa(KeySize::Rsa3072));
        assert!(matches!(refused(&sm2, "RSAES_OAEP_SHA_1"), WrappingError::UnsuitedAlgorithm));
        assert!(matches!(refused(&rsa2048, "SM2"), WrappingError::UnsuitedAlgorithm));
        assert!(matches!(refused(&rsa3072, "RSAES_OAEP_SHA_1"), WrappingError::MalformedKey));
        assert!(matches!(refused(&sm2, "sm2"), WrappingError::UnknownAlgorithm(_)));
        assert!(matches!(refused("", "sm2"), WrappingError::UnknownAlgorithm(_)));
        for pem in ["no key", &sm2.replace("PUBLIC", "PRIVATE"), &sm2.replacen('M', "-", 1), &sm2[..100]] {
            assert!(matches!(refused(pem, "SM2"), WrappingError::MalformedKey), "{pem}");
        }
    }

    #[test]
    fn without_a_key_a_text_is_told_in_clear() {
        for key in [None, Some("")] {
            assert!(Wrapping::read(key, Some("RSAES_OAEP_SHA_1")).unwrap().is_none());
        }
        assert_eq!(encode(None, b"text").unwrap(), "dGV4dA==");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(body: String) {
            let pem = format!("{BEGIN}\n{body}\n{END}");
            prop_assert!(Wrapping::read(Some(&pem), None).is_err());
        }
    }
}
