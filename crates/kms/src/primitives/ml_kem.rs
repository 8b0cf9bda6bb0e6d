//! ML-KEM-1024 (FIPS 203), the strongest parameter set, and the encryption that is built on it: each text has a key of its own,
//! encapsulated, under which AES-256-GCM encrypts it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, EncapsulationKey, ML_KEM_1024, SharedSecret};
use zeroize::Zeroizing;

use crate::error::Error;

/// The length of an encapsulated key, in bytes.
const ENCAPSULATED_LENGTH: usize = 1568;
/// What comes before the 1,568 bytes of a public key in its DER `SubjectPublicKeyInfo` (RFC 9935).
const SPKI_HEADER: [u8; 22] = [
    0x30, 0x82, 0x06, 0x32, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, 0x03,
    0x03, 0x82, 0x06, 0x21, 0x00,
];

/// A key pair, which decrypts.
pub(crate) struct MlKemKeyPair(DecapsulationKey);

impl MlKemKeyPair {
    /// A new key pair and its public key as DER `SubjectPublicKeyInfo`, which only a new one can tell.
    pub(crate) fn generate() -> Result<(Self, Vec<u8>), Error> {
        let failed = |_| Error::Cryptography("an ML-KEM key could not be generated");
        let pair = DecapsulationKey::generate(&ML_KEM_1024).map_err(failed)?;
        let public = pair.encapsulation_key().and_then(|key| key.key_bytes()).map_err(failed)?;
        let der = [&SPKI_HEADER, public.as_ref()].concat();
        Ok((Self(pair), der))
    }

    /// The key pair that [`Self::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let pair = DecapsulationKey::new(&ML_KEM_1024, bytes);
        pair.map(Self).map_err(|_| Error::Damaged("an ML-KEM key does not parse"))
    }

    /// The private key: the decapsulation key of FIPS 203, which holds the public key too.
    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let bytes =
            self.0.key_bytes().map_err(|_| Error::Cryptography("an ML-KEM key could not be encoded"))?;
        Ok(Zeroizing::new(bytes.as_ref().to_vec()))
    }

    /// The text that [`encrypt`] made `ciphertext` of; `None` where key, context or a byte is another.
    pub(crate) fn decrypt(&self, context: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (encapsulated, ciphertext) = ciphertext.split_at_checked(ENCAPSULATED_LENGTH)?;
        let secret = self.0.decapsulate(Ciphertext::from(encapsulated)).ok()?;
        let mut text = Zeroizing::new(ciphertext.to_vec());
        let length = cipher(&secret).ok()?.open_in_place(nonce(), Aad::from(context), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

/// Encrypts a text for the owner of a public key in the form of [`MlKemKeyPair::generate`]: the encapsulated key, then the
/// ciphertext with its tag.
pub(crate) fn encrypt(public_key: &[u8], context: &[u8], text: &[u8]) -> Result<Vec<u8>, Error> {
    let raw = public_key.strip_prefix(&SPKI_HEADER).unwrap_or_default();
    let key = EncapsulationKey::new(&ML_KEM_1024, raw)
        .map_err(|_| Error::Damaged("an ML-KEM public key does not parse"))?;
    let failed = |_| Error::Cryptography("ML-KEM could not encrypt");
    let (encapsulated, secret) = key.encapsulate().map_err(failed)?;
    let mut ciphertext = text.to_vec();
    cipher(&secret)?
        .seal_in_place_append_tag(nonce(), Aad::from(context), &mut ciphertext)
        .map_err(failed)?;
    Ok([encapsulated.as_ref(), &ciphertext].concat())
}

/// FIPS 203 lets the shared secret of 32 bytes be used as a key directly.
fn cipher(secret: &SharedSecret) -> Result<LessSafeKey, Error> {
    let key = UnboundKey::new(&AES_256_GCM, secret.as_ref());
    key.map(LessSafeKey::new).map_err(|_| Error::Cryptography("ML-KEM gave no key"))
}

/// Each key encrypts one text, so one nonce is enough.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_and_ciphertexts_have_the_sizes_of_fips_203() {
        let (pair, public) = MlKemKeyPair::generate().unwrap();
        let private = pair.to_bytes().unwrap();
        assert_eq!((public.len() - SPKI_HEADER.len(), private.len()), (1568, 3168));
        // dk = dkPKE ‖ ek ‖ H(ek) ‖ z
        assert_eq!(private[1536..1536 + 1568], public[SPKI_HEADER.len()..]);
        assert_eq!(encrypt(&public, b"", b"text").unwrap().len(), 1568 + 4 + 16);
    }

    #[test]
    fn keys_of_a_wrong_form_are_refused() {
        let (_, public) = MlKemKeyPair::generate().unwrap();
        assert!(
            encrypt(&public[1..], b"", b"text").is_err() && encrypt(&public[..1000], b"", b"text").is_err()
        );
        assert!(MlKemKeyPair::from_bytes(b"no key").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn only_what_was_encrypted_decrypts(text: Vec<u8>, context: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8) {
            let (pair, public) = MlKemKeyPair::generate().unwrap();
            let pair = MlKemKeyPair::from_bytes(&pair.to_bytes().unwrap()).unwrap();
            let mut ciphertext = encrypt(&public, &context, &text).unwrap();
            prop_assert_eq!(&*pair.decrypt(&context, &ciphertext).unwrap(), &text);
            let (other, _) = MlKemKeyPair::generate().unwrap();
            prop_assert!(other.decrypt(&context, &ciphertext).is_none());
            let mut elsewhere = context.clone();
            elsewhere.push(0);
            prop_assert!(pair.decrypt(&elsewhere, &ciphertext).is_none());
            prop_assert!(pair.decrypt(&context, &ciphertext[..ciphertext.len() - 1]).is_none());
            let at = at.index(ciphertext.len());
            ciphertext[at] ^= 1 << bit;
            prop_assert!(pair.decrypt(&context, &ciphertext).is_none());
        }
    }
}
