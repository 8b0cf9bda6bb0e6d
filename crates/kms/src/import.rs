//! Importing material: the key pair that it is encrypted for, and the token that stands for the two.
//!
//! A key has one such key pair at a time; asking again replaces it, and with it the token that was issued before. A token is the id of
//! the key followed by random bytes, of which only a digest is kept.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rookery_seal::Sealed;
use rookery_store::{Regional, Table};
use serde::{Deserialize, Serialize};

use crate::envelope::random;
use crate::error::Error;
use crate::keys::KeyId;
use crate::material::{RsaPadding, sha256};

/// How long a key pair and its token can be used, in seconds.
pub(crate) const LIFETIME: u64 = 24 * 60 * 60;
/// The length of a token, in bytes, as the platform's example has it.
const TOKEN_LENGTH: usize = 96;
const ID_LENGTH: usize = 16;

/// The key pair that material is encrypted for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ImportKeyPair {
    /// The SHA-256 of the token, in Base64.
    pub(crate) token: String,
    pub(crate) padding: RsaPadding,
    /// PKCS#8, sealed for [`seal_context`].
    pub(crate) private_key: Sealed,
    /// UNIX seconds.
    pub(crate) expires: u64,
}

impl ImportKeyPair {
    /// Whether it can still be used with this token.
    pub(crate) fn admits(&self, token: &Token, now: u64) -> bool {
        now < self.expires
            && verify_slices_are_equal(self.token.as_bytes(), token.digest().as_bytes()).is_ok()
    }
}

/// The key pairs by the ids of the keys that they import for.
pub(crate) struct ImportParameters;

impl Table for ImportParameters {
    const NAME: &'static str = "kms.import_parameters";
    type Scope = Regional;
    type Key = String;
    type Row = ImportKeyPair;
}

/// What the private key of such a key pair is sealed for.
pub(crate) fn seal_context(id: &KeyId) -> String {
    format!("kms/import/{id}")
}

/// A token.
pub(crate) struct Token([u8; TOKEN_LENGTH]);

impl Token {
    /// A new token for a key.
    pub(crate) fn issue(id: &KeyId) -> Result<Self, Error> {
        let mut bytes = [0; TOKEN_LENGTH];
        random(&mut bytes)?;
        for (at, byte) in bytes.iter_mut().zip(id.to_bytes().ok_or(Error::MalformedKeyId)?) {
            *at = byte;
        }
        Ok(Self(bytes))
    }

    /// Reads a token, which must have been issued for that key.
    pub(crate) fn read(text: &str, id: &KeyId) -> Result<Self, Error> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| Error::ImportToken)?;
        let bytes: [u8; TOKEN_LENGTH] = bytes.try_into().map_err(|_| Error::ImportToken)?;
        let names = bytes.first_chunk::<ID_LENGTH>().copied();
        if names == id.to_bytes() { Ok(Self(bytes)) } else { Err(Error::ImportToken) }
    }

    /// The token as it is on the wire.
    pub(crate) fn text(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }

    /// What is kept of it.
    pub(crate) fn digest(&self) -> String {
        BASE64_STANDARD.encode(sha256(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scene::ABSENT;

    #[test]
    fn a_token_names_its_key_and_is_unlike_any_other() {
        let id = KeyId::parse(ABSENT).unwrap();
        let token = Token::issue(&id).unwrap();
        assert_eq!(Token::read(&token.text(), &id).unwrap().digest(), token.digest());
        assert_ne!(Token::issue(&id).unwrap().digest(), token.digest());
        let other = KeyId::from_bytes([1; 16]);
        assert!(matches!(Token::read(&token.text(), &other), Err(Error::ImportToken)));
        assert!(matches!(Token::read(&token.text()[4..], &id), Err(Error::ImportToken)));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text: String) {
            prop_assert!(Token::read(&text, &KeyId::from_bytes([1; 16])).is_err());
        }
    }
}
