//! Sealing and opening, and sealing anew.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::SealError;

/// A secret as it is kept: nonce, ciphertext and tag, and the context that it was sealed for. Safe to store, and shown by nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    context: String,
    bytes: Vec<u8>,
}

/// A sealed value as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sealed: String,
    sealed_for: String,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written =
            Written { sealed: BASE64_STANDARD.encode(&self.bytes), sealed_for: self.context.clone() };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { sealed, sealed_for } = Written::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(sealed).map_err(serde::de::Error::custom)?;
        Ok(Self { context: sealed_for, bytes })
    }
}

impl Sealed {
    /// Gives the written form of today to a value that was written before sealed values said what they were sealed for: as a text, the
    /// Base64 of the bytes. Says whether it was one; everything else stays as it is.
    pub fn name_place(value: &mut Value, context: &str) -> bool {
        let Value::String(sealed) = value else { return false };
        *value = serde_json::json!({ "sealed": std::mem::take(sealed), "sealed_for": context });
        true
    }
}

/// The key that seals. Cheap to clone.
#[derive(Clone)]
pub struct Seal {
    key: Arc<RandomizedNonceKey>,
    fingerprint: String,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    /// A seal under the given 32 bytes.
    pub fn new(master: &[u8]) -> Result<Self, SealError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, master).map_err(|_| SealError::Length)?;
        let mut digest = Context::new(&SHA256);
        digest.update(b"rookery master key\0");
        digest.update(master);
        let digest = digest.finish();
        let (beginning, _) = digest.as_ref().split_first_chunk().ok_or(SealError::Length)?;
        Ok(Self { key: Arc::new(key), fingerprint: format!("{:016x}", u64::from_be_bytes(*beginning)) })
    }

    /// A seal under a key given as Base64 text, the form of the environment variable.
    pub fn from_base64(text: &str) -> Result<Self, SealError> {
        let master = Zeroizing::new(BASE64_STANDARD.decode(text.trim()).map_err(|_| SealError::Length)?);
        Self::new(&master)
    }

    /// A name of the master key that tells nothing about it: the beginning of a digest of its 32 random bytes.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Seals `secret` for the place named by `context`; it opens only with the same context.
    pub fn seal(&self, context: &str, secret: &[u8]) -> Result<Sealed, SealError> {
        let mut text = Zeroizing::new(secret.to_vec());
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut *text)
            .map_err(|_| SealError::Cipher)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.extend_from_slice(&text);
        Ok(Sealed { context: context.to_owned(), bytes })
    }

    /// Opens what was sealed for `context`. The bytes are wiped when dropped.
    pub fn open(&self, context: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, text) = sealed.bytes.split_at_checked(NONCE_LEN).ok_or(SealError::Closed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Closed)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut text)
            .map_err(|_| SealError::Closed)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    /// Seals anew, under `next`, every sealed value in a JSON text, however deep; returns how many there are. A value that is under
    /// `next` already is left as it is; one that opens under neither key is [`SealError::Closed`].
    pub fn reseal(&self, next: &Self, value: &mut Value) -> Result<u64, SealError> {
        // A list of two texts would be read as an object's members in their order.
        if value.is_object()
            && let Ok(sealed) = Sealed::deserialize(&*value)
        {
            if next.open(&sealed.context, &sealed).is_err() {
                let secret = self.open(&sealed.context, &sealed)?;
                let anew = next.seal(&sealed.context, &secret)?;
                *value = serde_json::to_value(anew).map_err(|_| SealError::Cipher)?;
            }
            return Ok(1);
        }
        let mut count = 0;
        match value {
            Value::Array(values) => {
                for value in values {
                    count += self.reseal(next, value)?;
                }
            }
            Value::Object(members) => {
                for (_, value) in members {
                    count += self.reseal(next, value)?;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn opens_what_it_sealed_and_only_there() {
        let seal = Seal::ephemeral().unwrap();
        let sealed = seal.seal("kms/key/a", b"secret").unwrap();
        assert_eq!(&**seal.open("kms/key/a", &sealed).unwrap(), b"secret");
        assert!(matches!(seal.open("kms/key/b", &sealed), Err(SealError::Closed)));
        let other = Seal::ephemeral().unwrap();
        assert!(matches!(other.open("kms/key/a", &sealed), Err(SealError::Closed)));
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let seal = Seal::ephemeral().unwrap();
        let sealed = seal.seal("c", b"x").unwrap();
        for at in 0..sealed.bytes.len() {
            let mut altered = sealed.clone();
            altered.bytes[at] ^= 1;
            assert!(seal.open("c", &altered).is_err(), "byte {at}");
        }
        assert!(seal.open("c", &Sealed { context: "c".to_owned(), bytes: Vec::new() }).is_err());
    }

    #[test]
    fn a_sealed_value_survives_json_and_shows_nothing() {
        let seal = Seal::ephemeral().unwrap();
        let sealed = seal.seal("c", b"kept").unwrap();
        let text = serde_json::to_string(&sealed).unwrap();
        let back: Sealed = serde_json::from_str(&text).unwrap();
        assert_eq!(back, sealed);
        assert_eq!(format!("{sealed:?}"), "Sealed(…)");
    }

    #[test]
    fn a_value_that_says_another_place_than_it_was_sealed_for_does_not_open() {
        let seal = Seal::ephemeral().unwrap();
        let mut value = serde_json::to_value(seal.seal("here", b"secret").unwrap()).unwrap();
        value["sealed_for"] = json!("there");
        let moved: Sealed = serde_json::from_value(value.clone()).unwrap();
        assert!(seal.open("there", &moved).is_err());
        assert!(seal.reseal(&Seal::ephemeral().unwrap(), &mut value).is_err());
    }

    #[test]
    fn a_value_of_the_former_form_is_given_its_place_once() {
        let seal = Seal::ephemeral().unwrap();
        let sealed = seal.seal("here", b"secret").unwrap();
        let mut value = json!(BASE64_STANDARD.encode(&sealed.bytes));
        assert!(Sealed::name_place(&mut value, "here"));
        assert!(!Sealed::name_place(&mut value, "there"), "it has one already");
        let read: Sealed = serde_json::from_value(value).unwrap();
        assert_eq!(&**seal.open("here", &read).unwrap(), b"secret");
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(matches!(Seal::new(b"short"), Err(SealError::Length)));
        assert!(matches!(Seal::from_base64("not base64!"), Err(SealError::Length)));
    }

    #[test]
    fn a_key_is_known_by_its_fingerprint() {
        let fingerprint = |byte: u8| Seal::new(&[byte; 32]).unwrap().fingerprint().to_owned();
        assert_eq!((fingerprint(1).len(), fingerprint(1)), (16, fingerprint(1)));
        assert_ne!(fingerprint(1), fingerprint(2));
    }

    #[test]
    fn every_sealed_value_is_sealed_anew_wherever_it_is() {
        let (old, new) = (Seal::ephemeral().unwrap(), Seal::ephemeral().unwrap());
        let sealed =
            |context: &str| serde_json::to_value(old.seal(context, context.as_bytes()).unwrap()).unwrap();
        // A text or a list that merely looks like one, and an object with a member more, are none.
        let decoys =
            json!([sealed("x").to_string(), ["AAAA", "x"], {"sealed": "AAAA", "sealed_for": "x", "more": 1}]);
        let mut row =
            json!({"a": sealed("a"), "list": [1, {"deep": sealed("b")}, sealed("c")], "decoys": decoys});
        assert_eq!(old.reseal(&new, &mut row).unwrap(), 3);
        assert_eq!(row["decoys"], decoys);
        for (value, context) in [(&row["a"], "a"), (&row["list"][1]["deep"], "b"), (&row["list"][2], "c")] {
            let value: Sealed = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(&**new.open(context, &value).unwrap(), context.as_bytes());
            assert!(old.open(context, &value).is_err());
        }
        let again = row.clone();
        assert_eq!(old.reseal(&new, &mut row).unwrap(), 3);
        assert_eq!(row, again);
        assert!(matches!(Seal::ephemeral().unwrap().reseal(&old, &mut row), Err(SealError::Closed)));
    }
}
