//! SM2 (GB/T 32918): signatures over SM3, and encryption, on the standard's 256-bit curve.
//!
//! What is signed is `e = SM3(Z ‖ M)`, where Z is the SM3 of the signer's identity, the curve and the public key. The identity is
//! `1234567812345678`, which GM/T 0009 gives to signers without one, and which `openssl` takes by `-pkeyopt distid:`.

use sm2::dsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::elliptic_curve::Generate as _;
use sm2::elliptic_curve::common::getrandom::SysRng;
use sm2::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use sm2::pke::{DecryptingKey, EncryptingKey};
use sm2::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use crate::error::Error;

/// The identity of every signer.
const IDENTITY: &str = "1234567812345678";
/// The first byte of an uncompressed point, which the platform's raw ciphertexts leave out.
const UNCOMPRESSED: u8 = 4;

/// A key pair, which signs or decrypts.
pub(crate) struct Sm2KeyPair {
    secret: SecretKey,
    /// The same with what signing needs besides, which takes as long to find as to sign.
    signing: SigningKey,
}

impl Sm2KeyPair {
    /// A new key pair.
    pub(crate) fn generate() -> Result<Self, Error> {
        let ungenerated = Error::Cryptography("an SM2 key could not be generated");
        SecretKey::try_generate().ok().and_then(Self::of).ok_or(ungenerated)
    }

    /// The key pair that [`Self::to_pkcs8`] wrote.
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Error> {
        let unreadable = Error::Damaged("an SM2 key does not parse");
        SecretKey::from_pkcs8_der(pkcs8).ok().and_then(Self::of).ok_or(unreadable)
    }

    fn of(secret: SecretKey) -> Option<Self> {
        let signing = SigningKey::new(IDENTITY, &secret).ok()?;
        Some(Self { secret, signing })
    }

    /// The private key as PKCS#8.
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let document =
            self.secret.to_pkcs8_der().map_err(|_| Error::Cryptography("an SM2 key could not be encoded"))?;
        Ok(Zeroizing::new(document.as_bytes().to_vec()))
    }

    /// The public key.
    pub(crate) fn public_key(&self) -> Sm2PublicKey {
        Sm2PublicKey(PublicKey::from(self.signing.verifying_key()))
    }

    /// The signature over a message: a DER sequence of r and s.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.signing.try_sign(message).map(|signature| to_der(&signature)).map_err(not_signed)
    }

    /// The signature over e, which the customer made of the message.
    pub(crate) fn sign_digest(&self, digest: &[u8; 32]) -> Result<Vec<u8>, Error> {
        self.signing.sign_prehash(digest).map(|signature| to_der(&signature)).map_err(not_signed)
    }

    /// What a ciphertext in ASN.1 (C1, C3, C2) holds; `None` unless it was encrypted by this key pair's public key.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let text = DecryptingKey::new(self.secret.clone()).decrypt_der(ciphertext).ok()?;
        Some(Zeroizing::new(text))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn not_signed(_: sm2::dsa::signature::Error) -> Error {
    Error::Cryptography("an SM2 signature could not be made")
}

/// A public key, which verifies or encrypts.
pub(crate) struct Sm2PublicKey(PublicKey);

impl Sm2PublicKey {
    /// Reads DER `SubjectPublicKeyInfo`; `None` unless it is a key on the curve of SM2.
    pub(crate) fn from_der(der: &[u8]) -> Option<Self> {
        PublicKey::from_public_key_der(der).ok().map(Self)
    }

    /// The key as DER `SubjectPublicKeyInfo`.
    pub(crate) fn to_der(&self) -> Result<Vec<u8>, Error> {
        let document =
            self.0.to_public_key_der().map_err(|_| Error::Cryptography("an SM2 key could not be encoded"))?;
        Ok(document.as_bytes().to_vec())
    }

    /// Whether `signature` is one over `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.with(signature, |key, signature| key.verify(message, signature).is_ok())
    }

    /// Whether `signature` is one over the message of which the customer made e.
    pub(crate) fn verify_digest(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        self.with(signature, |key, signature| key.verify_prehash(digest, signature).is_ok())
    }

    fn with(&self, signature: &[u8], check: impl FnOnce(&VerifyingKey, &Signature) -> bool) -> bool {
        match (VerifyingKey::new(IDENTITY, self.0), from_der(signature)) {
            (Ok(key), Some(signature)) => check(&key, &signature),
            _ => false,
        }
    }

    /// The ciphertext of a text that is not empty, in ASN.1: a sequence of x, y, C3 and C2.
    pub(crate) fn encrypt(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        EncryptingKey::new(self.0)
            .encrypt_der(&mut SysRng, text)
            .map_err(|_| Error::Cryptography("SM2 could not encrypt"))
    }

    /// The ciphertext of a text that is not empty as bare bytes: x, y, C3, C2.
    pub(crate) fn encrypt_raw(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        let unencrypted = Error::Cryptography("SM2 could not encrypt");
        let Ok(mut ciphertext) = EncryptingKey::new(self.0).encrypt(&mut SysRng, text) else {
            return Err(unencrypted);
        };
        if ciphertext.first() != Some(&UNCOMPRESSED) {
            return Err(unencrypted);
        }
        ciphertext.remove(0);
        Ok(ciphertext)
    }
}

fn to_der(signature: &Signature) -> Vec<u8> {
    signature.to_der().to_vec()
}

fn from_der(signature: &[u8]) -> Option<Signature> {
    Signature::from_der(signature).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sm3::{Digest as _, Sm3};

    use super::*;
    use crate::primitives::block::hexadecimal;

    const PRIVATE: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
    const PUBLIC: &str = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
                          ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";

    /// The key pair of all examples of GB/T 32918.5.
    fn example() -> Sm2KeyPair {
        let pair = Sm2KeyPair::of(SecretKey::from_slice(&hexadecimal(PRIVATE)).unwrap()).unwrap();
        assert_eq!(pair.public_key().0.to_sec1_bytes()[1..], hexadecimal(PUBLIC));
        pair
    }

    /// A DER value of that type.
    fn der(kind: u8, content: &[u8]) -> Vec<u8> {
        [&[kind, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// A positive DER integer.
    fn integer(digits: &str) -> Vec<u8> {
        let mut bytes = hexadecimal(digits);
        if bytes[0] >= 0x80 {
            bytes.insert(0, 0);
        }
        der(2, &bytes)
    }

    #[test]
    fn the_hash_gives_both_examples_of_gb_t_32905() {
        for (message, expected) in [
            ("abc".to_owned(), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
            ("abcd".repeat(16), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
        ] {
            assert_eq!(Sm3::digest(message).as_slice(), hexadecimal(expected));
        }
    }

    #[test]
    fn the_signature_of_gb_t_32918_verifies_by_message_and_by_e() {
        let signature = [
            integer("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"),
            integer("b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"),
        ]
        .concat();
        let signature = der(0x30, &signature);
        let e = hexadecimal("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
            .try_into()
            .unwrap();
        let key = example().public_key();
        assert!(key.verify(b"message digest", &signature) && key.verify_digest(&e, &signature));
        assert!(!key.verify(b"message", &signature) && !key.verify_digest(&[0; 32], &signature));
    }

    #[test]
    fn the_ciphertext_of_gb_t_32918_decrypts() {
        let mut parts = integer("04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73");
        parts.extend(integer("e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"));
        parts
            .extend(der(4, &hexadecimal("59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766")));
        parts.extend(der(4, &hexadecimal("21886ca989ca9c7d58087307ca93092d651efa")));
        let text = example().decrypt(&der(0x30, &parts)).unwrap();
        assert_eq!(&**text, b"encryption standard");
    }

    #[test]
    fn a_key_is_the_same_after_it_was_kept() {
        let pair = Sm2KeyPair::generate().unwrap();
        let kept = Sm2KeyPair::from_pkcs8(&pair.to_pkcs8().unwrap()).unwrap();
        let public = kept.public_key().to_der().unwrap();
        assert_eq!(public, pair.public_key().to_der().unwrap());
        assert!(public.starts_with(&hexadecimal("3059301306072a8648ce3d020106082a811ccf5501822d03420004")));
        let read = Sm2PublicKey::from_der(&public).unwrap();
        assert!(read.verify(b"text", &pair.sign(b"text").unwrap()));
        assert!(!read.verify(b"text", &Sm2KeyPair::generate().unwrap().sign(b"text").unwrap()));
        assert!(Sm2KeyPair::from_pkcs8(b"no key").is_err() && Sm2PublicKey::from_der(b"no key").is_none());
    }

    #[test]
    fn bare_ciphertexts_have_the_length_of_the_platforms_example() {
        let pair = Sm2KeyPair::generate().unwrap();
        let ciphertext = pair.public_key().encrypt_raw(&[7; 32]).unwrap();
        assert_eq!(ciphertext.len(), 128);
        let whole = [&[UNCOMPRESSED], &*ciphertext].concat();
        assert_eq!(DecryptingKey::new(pair.secret).decrypt(&whole).unwrap(), [7; 32]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn only_the_own_ciphertext_decrypts(text in prop::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index) {
            let (pair, other) = (Sm2KeyPair::generate().unwrap(), Sm2KeyPair::generate().unwrap());
            let mut ciphertext = pair.public_key().encrypt(&text).unwrap();
            prop_assert_eq!(&*pair.decrypt(&ciphertext).unwrap(), &text);
            prop_assert!(other.decrypt(&ciphertext).is_none());
            prop_assert!(pair.decrypt(&ciphertext[..ciphertext.len() - 1]).is_none());
            let at = at.index(ciphertext.len());
            ciphertext[at] ^= 1;
            prop_assert!(pair.decrypt(&ciphertext).is_none());
        }

        #[test]
        fn no_bytes_break_the_readers(bytes: Vec<u8>) {
            let pair = example();
            prop_assert!(pair.decrypt(&bytes).is_none());
            prop_assert!(!pair.public_key().verify(b"text", &bytes));
            prop_assert!(Sm2PublicKey::from_der(&bytes).is_none() && Sm2KeyPair::from_pkcs8(&bytes).is_err());
        }
    }
}
