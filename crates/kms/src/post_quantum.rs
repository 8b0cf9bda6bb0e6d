//! What `PostQuantumCryptoEncrypt` gives: a ciphertext that names its key.
//!
//! The text on the wire is the standard Base64 of
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the format: 2 (1 is that of `Encrypt`) |
//! | 16 | the id of the key |
//! | 1568 | a key, encapsulated by ML-KEM-1024 |
//! | n + 16 | the ciphertext under that key and its tag: AES-256 in Galois counter mode, with a nonce of zeros |
//!
//! The tag also authenticates the first two.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_store::Regional;
use zeroize::Zeroizing;

use crate::Kms;
use crate::envelope::PLAINTEXT_LIMIT;
use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::material::{self, KeyPair};
use crate::primitives::{ml_dsa, ml_kem};
use crate::states::Operation;
use crate::usage::KeyUsage;

const FORMAT: u8 = 2;
const ID_LENGTH: usize = 16;
/// The longest ciphertext, as a text: that of 4,096 bytes.
const LONGEST: usize = (HEADER_LENGTH + 1568 + PLAINTEXT_LIMIT + 16).div_ceil(3) * 4;
/// What comes before the encapsulated key.
const HEADER_LENGTH: usize = 1 + ID_LENGTH;

/// A ciphertext as it was made here, as far as can be told without its key.
pub(crate) struct Ciphertext {
    /// The key that decrypts it.
    pub(crate) id: KeyId,
    bytes: Vec<u8>,
}

impl Ciphertext {
    /// Reads a ciphertext from a request.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            return Err(Error::MalformedCiphertext);
        }
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| Error::MalformedCiphertext)?;
        let header = bytes.first_chunk::<HEADER_LENGTH>().ok_or(Error::MalformedCiphertext)?;
        match header {
            [FORMAT, id @ ..] => Ok(Self { id: KeyId::from_bytes(*id), bytes }),
            _ => Err(Error::MalformedCiphertext),
        }
    }
}

impl Kms {
    /// A key of that post-quantum usage that may be used now.
    fn post_quantum_key(&self, scope: &Regional, id: &KeyId, usage: KeyUsage) -> Result<Arc<Key>, Error> {
        let key = self.key(scope, id)?;
        usage.expect(key.usage)?;
        Operation::UseKeyPair.check(id, key.state)?;
        Ok(key)
    }

    /// Encrypts by the public half of an ML-KEM key.
    pub(crate) fn encrypt_post_quantum(
        &self,
        scope: &Regional,
        id: &KeyId,
        text: &[u8],
    ) -> Result<String, Error> {
        self.post_quantum_key(scope, id, KeyUsage::DecryptMlKem1024)?;
        let public_key = material::public_key_der(&self.material(scope, id)?.public_key)?;
        let mut bytes = vec![FORMAT];
        bytes.extend(id.to_bytes().ok_or(Error::MalformedKeyId)?);
        let ciphertext = ml_kem::encrypt(&public_key, &bytes, text)?;
        bytes.extend(ciphertext);
        Ok(BASE64_STANDARD.encode(bytes))
    }

    /// Decrypts by the private half of the key that a ciphertext names.
    pub(crate) async fn decrypt_post_quantum(
        &self,
        scope: &Regional,
        ciphertext: &Ciphertext,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Ciphertext { id, bytes } = ciphertext;
        let key = self.post_quantum_key(scope, id, KeyUsage::DecryptMlKem1024)?;
        let pair = self.key_pair(scope, id, &key).await?;
        let KeyPair::MlKem(private_key) = &*pair else {
            return Err(Error::Damaged("a key pair is not of its key's usage"));
        };
        let (header, ciphertext) = bytes.split_at_checked(HEADER_LENGTH).ok_or(Error::MalformedCiphertext)?;
        private_key.decrypt(header, ciphertext).ok_or(Error::MalformedCiphertext)
    }

    /// Signs by the private half of an ML-DSA key.
    pub(crate) async fn sign_post_quantum(
        &self,
        scope: &Regional,
        id: &KeyId,
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let key = self.post_quantum_key(scope, id, KeyUsage::SignVerifyMlDsa87)?;
        match &*self.key_pair(scope, id, &key).await? {
            KeyPair::MlDsa(pair) => pair.sign(message),
            _ => Err(Error::Damaged("a key pair is not of its key's usage")),
        }
    }

    /// Whether a signature was made by the private half of an ML-DSA key.
    pub(crate) fn verify_post_quantum(
        &self,
        scope: &Regional,
        id: &KeyId,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        self.post_quantum_key(scope, id, KeyUsage::SignVerifyMlDsa87)?;
        let public_key = material::public_key_der(&self.material(scope, id)?.public_key)?;
        ml_dsa::verify(&public_key, message, signature)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes: Vec<u8>) {
            let read = Ciphertext::parse(&BASE64_STANDARD.encode(&bytes));
            prop_assert_eq!(read.is_ok(), bytes.first() == Some(&FORMAT) && bytes.len() >= HEADER_LENGTH);
        }
    }
}
