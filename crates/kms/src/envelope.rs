//! What `Encrypt` gives: a ciphertext that names its key and the version of its material.
//!
//! The text on the wire is the standard Base64 of
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the format: 1 |
//! | 16 | the id of the key |
//! | 4 | the version of its material, most significant byte first |
//! | 12 | a random nonce |
//! | n + 16 | the ciphertext and its tag, in Galois counter mode |
//!
//! The tag also authenticates everything before the nonce, and the encryption context. So a ciphertext decrypts with its own key, its
//! own version and its own context only, even where two keys were given the same material.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_seal::Seal;
use rookery_store::{Read, Regional};
use std::sync::Arc;
use zeroize::Zeroizing;

use crate::Kms;
use crate::context::Context;
use crate::error::Error;
use crate::keys::{self, Key, KeyId, Keys, Version, Versions};
use crate::primitives::sm4;
use crate::states::{KeyState, Operation};
use crate::usage::{Cipher, KeyUsage};

/// The longest text that is encrypted, in bytes.
pub(crate) const PLAINTEXT_LIMIT: usize = 4096;
/// How many random bytes one request gets.
const RANDOM_LIMIT: usize = 1024;
const FORMAT: u8 = 1;
const ID_LENGTH: usize = 16;
/// What comes before the nonce.
const HEADER_LENGTH: usize = 1 + ID_LENGTH + 4;
const TAG_LENGTH: usize = 16;
/// As much of the Base64 as holds the format and the id.
const NAMING_LENGTH: usize = 24;

/// The bytes of a text that is to be encrypted.
pub(crate) fn plaintext(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let bytes = BASE64_STANDARD.decode(text).map(Zeroizing::new).map_err(|_| Error::Plaintext)?;
    if (1..=PLAINTEXT_LIMIT).contains(&bytes.len()) { Ok(bytes) } else { Err(Error::Plaintext) }
}

/// As many random bytes as a request asks for in `parameter`: 1 to 1,024.
pub(crate) fn random_text(parameter: &'static str, length: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    match usize::try_from(length) {
        Ok(length @ 1..=RANDOM_LIMIT) => {
            let mut bytes = Zeroizing::new(vec![0; length]);
            random(&mut bytes)?;
            Ok(bytes)
        }
        _ => Err(Error::value(parameter, &length)),
    }
}

/// The unsealed material of a symmetric key.
pub(crate) enum SymmetricKey {
    Aes256(LessSafeKey),
    Sm4(Zeroizing<[u8; sm4::KEY_LENGTH]>),
}

impl SymmetricKey {
    /// New random material, sealed for a version of a key.
    pub(crate) fn generate(cipher: Cipher, seal: &Seal, id: &KeyId, version: u32) -> Result<Version, Error> {
        let mut secret = Zeroizing::new(vec![0; cipher.key_length()]);
        random(&mut secret)?;
        Ok(Version { secret: seal.seal(&keys::version_context(id, version), &secret)? })
    }

    fn of(cipher: Cipher, secret: &[u8]) -> Result<Self, Error> {
        let damaged = Error::Damaged("the material of a key has the wrong length");
        match cipher {
            Cipher::Aes256 => UnboundKey::new(&AES_256_GCM, secret)
                .map(|key| Self::Aes256(LessSafeKey::new(key)))
                .map_err(|_| damaged),
            Cipher::Sm4 => secret.try_into().map(|key| Self::Sm4(Zeroizing::new(key))).map_err(|_| damaged),
        }
    }

    /// The ciphertext and its tag, appended to `out`.
    fn encrypt(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match self {
            Self::Aes256(key) => {
                let mut sealed = text.to_vec();
                key.seal_in_place_append_tag(
                    Nonce::assume_unique_for_key(nonce),
                    Aad::from(aad),
                    &mut sealed,
                )
                .map_err(|_| Error::Cryptography("AES could not encrypt"))?;
                out.extend_from_slice(&sealed);
            }
            Self::Sm4(key) => out.extend_from_slice(&sm4::encrypt(key, &nonce, aad, text)?),
        }
        Ok(())
    }

    fn decrypt(&self, nonce: [u8; NONCE_LEN], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes256(key) => {
                let mut text = Zeroizing::new(sealed.to_vec());
                let nonce = Nonce::assume_unique_for_key(nonce);
                let length = key.open_in_place(nonce, Aad::from(aad), &mut text).ok()?.len();
                text.truncate(length);
                Some(text)
            }
            Self::Sm4(key) => sm4::decrypt(key, &nonce, aad, sealed),
        }
    }
}

/// Fills `bytes` from the operating system's randomness.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| Error::Cryptography("there is no randomness"))
}

/// A ciphertext as it was made here, as far as can be told without its key.
pub(crate) struct Ciphertext {
    /// The key that decrypts it.
    pub(crate) id: KeyId,
    /// The version of the key's material.
    pub(crate) version: u32,
    header: [u8; HEADER_LENGTH],
    nonce: [u8; NONCE_LEN],
    sealed: Vec<u8>,
}

impl Ciphertext {
    /// Reads a ciphertext from a request.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| Error::MalformedCiphertext)?;
        Self::from_bytes(&bytes).ok_or(Error::MalformedCiphertext)
    }

    /// The key that a ciphertext names, told by its beginning alone; what follows may still be none.
    pub(crate) fn key_named(text: &str) -> Option<KeyId> {
        let bytes = BASE64_STANDARD.decode(text.get(..NAMING_LENGTH)?).ok()?;
        let (&format, id) = bytes.split_first()?;
        (format == FORMAT).then_some(KeyId::from_bytes(*id.first_chunk::<ID_LENGTH>()?))
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_LENGTH>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let (&format, fields) = header.split_first()?;
        let (id, version) = fields.split_first_chunk::<ID_LENGTH>()?;
        if format != FORMAT || sealed.len() <= TAG_LENGTH {
            return None;
        }
        Some(Self {
            id: KeyId::from_bytes(*id),
            version: u32::from_be_bytes(version.try_into().ok()?),
            header: *header,
            nonce: *nonce,
            sealed: sealed.to_vec(),
        })
    }
}

fn header(id: &KeyId, version: u32) -> Result<[u8; HEADER_LENGTH], Error> {
    let id = id.to_bytes().ok_or(Error::MalformedKeyId)?;
    let mut header = [FORMAT; HEADER_LENGTH];
    for (at, byte) in header[1..].iter_mut().zip(id.into_iter().chain(version.to_be_bytes())) {
        *at = byte;
    }
    Ok(header)
}

fn authenticated(header: &[u8], context: &Context) -> Vec<u8> {
    [header, context.as_bytes()].concat()
}

impl Kms {
    /// Encrypts with a symmetric key that may encrypt now. The ciphertext is as it is on the wire.
    pub(crate) fn encrypt(
        &self,
        scope: &Regional,
        id: &KeyId,
        context: &Context,
        text: &[u8],
    ) -> Result<String, Error> {
        let (key, version) = self.symmetric_version(scope, id, Operation::Encrypt, None)?;
        let version = version.ok_or(Error::Damaged("a symmetric key has no material"))?;
        let secret = self.secret(scope, id, &key, key.version, &version)?;
        let header = header(id, key.version)?;
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut bytes = Vec::with_capacity(HEADER_LENGTH + NONCE_LEN + text.len() + TAG_LENGTH);
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&nonce);
        secret.encrypt(nonce, &authenticated(&header, context), text, &mut bytes)?;
        Ok(BASE64_STANDARD.encode(bytes))
    }

    /// Decrypts with the key that a ciphertext names, provided that it may decrypt now.
    pub(crate) fn decrypt(
        &self,
        scope: &Regional,
        ciphertext: &Ciphertext,
        context: &Context,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Ciphertext { id, version, header, nonce, sealed } = ciphertext;
        let (key, kept) = self.symmetric_version(scope, id, Operation::Decrypt, Some(*version))?;
        let secret = self.secret(scope, id, &key, *version, &*kept.ok_or(Error::MalformedCiphertext)?)?;
        secret.decrypt(*nonce, &authenticated(header, context), sealed).ok_or(Error::Undecryptable)
    }

    /// A symmetric key in a state that admits the operation.
    pub(crate) fn symmetric(
        &self,
        scope: &Regional,
        id: &KeyId,
        operation: Operation,
    ) -> Result<Arc<Key>, Error> {
        let key = self.key(scope, id)?;
        check_symmetric(&key, id, operation)?;
        Ok(key)
    }

    /// Such a key with a version of its material, where it has that one: the present one if none is named.
    fn symmetric_version(
        &self,
        scope: &Regional,
        id: &KeyId,
        operation: Operation,
        version: Option<u32>,
    ) -> Result<(Arc<Key>, Option<Arc<Version>>), Error> {
        let key = self.symmetric(scope, id, operation)?;
        let kept = self.version(scope, id, version.unwrap_or(key.version))?;
        if kept.is_some() {
            return Ok((key, kept));
        }
        // It may have gone between the two looks, and the key's state with it: one look at both tells.
        self.store.read(|view| {
            let key = view.get::<Keys>(scope, id.as_str())?.ok_or_else(|| Error::KeyNotFound(id.clone()))?;
            check_symmetric(&key, id, operation)?;
            let place = (id.to_string(), u64::from(version.unwrap_or(key.version)));
            let kept = view.get::<Versions>(scope, &place)?;
            Ok((Arc::new(key), kept.map(Arc::new)))
        })
    }

    /// A version of a key's material unsealed, from memory where it has been used before.
    fn secret(
        &self,
        scope: &Regional,
        id: &KeyId,
        key: &Key,
        version: u32,
        Version { secret }: &Version,
    ) -> Result<Arc<SymmetricKey>, Error> {
        if let Some(loaded) = self.secrets.get(scope, id, version, secret) {
            return Ok(loaded);
        }
        let cipher = key.cipher.ok_or(Error::Damaged("a symmetric key has no cipher"))?;
        let bytes = self.seal.open(&keys::version_context(id, version), secret)?;
        let loaded = Arc::new(SymmetricKey::of(cipher, &bytes)?);
        self.secrets.keep(scope, id, version, secret.clone(), &loaded);
        // As with key pairs: what was forgotten meanwhile is not kept.
        if !matches!(self.key(scope, id)?.state, KeyState::Enabled | KeyState::Archived) {
            self.secrets.forget(scope, id);
        }
        Ok(loaded)
    }
}

/// Refuses a key that is not symmetric, or whose state does not admit the operation.
fn check_symmetric(key: &Key, id: &KeyId, operation: Operation) -> Result<(), Error> {
    KeyUsage::EncryptDecrypt.expect(key.usage)?;
    operation.check(id, key.state)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_have_one_to_4096_bytes() {
        let of = |length| plaintext(&BASE64_STANDARD.encode(vec![7; length]));
        assert_eq!(of(1).unwrap().len(), 1);
        assert_eq!(of(4096).unwrap().len(), 4096);
        for refused in [of(0), of(4097), plaintext("YQ"), plaintext("!"), plaintext("YQ==\n")] {
            assert!(matches!(refused, Err(Error::Plaintext)));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes: Vec<u8>) {
            let read = Ciphertext::parse(&BASE64_STANDARD.encode(&bytes));
            prop_assert!(read.is_err() || Ciphertext::key_named(&BASE64_STANDARD.encode(&bytes)).is_some());
            prop_assert_eq!(read.is_ok(), bytes.first() == Some(&FORMAT) && bytes.len() > 49);
        }

        #[test]
        fn the_header_is_read_as_it_was_written(id: [u8; 16], version: u32, sealed in proptest::collection::vec(any::<u8>(), 17..40)) {
            let header = header(&KeyId::from_bytes(id), version).unwrap();
            let read = Ciphertext::from_bytes(&[&header[..], &[9; NONCE_LEN], &sealed].concat()).unwrap();
            let text = BASE64_STANDARD.encode([&header[..], &[9; NONCE_LEN], &sealed].concat());
            prop_assert_eq!(Ciphertext::key_named(&text), Some(read.id.clone()));
            prop_assert_eq!((read.id.to_bytes(), read.version, read.sealed), (Some(id), version, sealed));
        }

        #[test]
        fn either_cipher_opens_only_what_it_sealed_as_it_was(
            sm in any::<bool>(),
            text in proptest::collection::vec(any::<u8>(), 1..100),
            at in any::<prop::sample::Index>(),
        ) {
            let cipher = if sm { Cipher::Sm4 } else { Cipher::Aes256 };
            let key = SymmetricKey::of(cipher, &vec![5; cipher.key_length()]).unwrap();
            let mut sealed = Vec::new();
            key.encrypt([1; NONCE_LEN], b"context", &text, &mut sealed).unwrap();
            let opened = key.decrypt([1; NONCE_LEN], b"context", &sealed);
            prop_assert_eq!(opened.as_deref(), Some(&text));
            prop_assert!(key.decrypt([1; NONCE_LEN], b"other", &sealed).is_none());
            prop_assert!(key.decrypt([2; NONCE_LEN], b"context", &sealed).is_none());
            *at.get_mut(&mut sealed) ^= 1;
            prop_assert!(key.decrypt([1; NONCE_LEN], b"context", &sealed).is_none());
        }
    }
}
