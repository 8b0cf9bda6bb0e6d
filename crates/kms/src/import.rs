//! Importing material: the key pair that it is encrypted for, and the token that stands for the two.
//!
//! A key has one such key pair at a time; asking again replaces it, and with it every token that was issued before. A token is sealed:
//! it holds the id of the key, the number of the key pair and when both expire, and cannot be made outside.

use rookery_seal::{Seal, Sealed};
use rookery_store::{Regional, Table};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::keys::KeyId;
use crate::material::RsaPadding;

/// How long a key pair and its token can be used, in seconds.
pub(crate) const LIFETIME: u64 = 24 * 60 * 60;
/// What tokens are sealed for.
const TOKEN_CONTEXT: &str = "kms/import-token";

/// The key pair that material is encrypted for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ImportKeyPair {
    /// Tells it from those before and after.
    pub(crate) number: String,
    pub(crate) padding: RsaPadding,
    /// PKCS#8, sealed for [`seal_context`].
    pub(crate) private_key: Sealed,
    /// UNIX seconds.
    pub(crate) expires: u64,
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
pub(crate) fn seal_context(id: &KeyId, number: &str) -> String {
    format!("kms/import/{id}/{number}")
}

/// What a token says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) key: String,
    pub(crate) number: String,
    /// UNIX seconds.
    pub(crate) expires: u64,
}

impl Token {
    /// The token as it is on the wire.
    pub(crate) fn seal(&self, seal: &Seal) -> Result<String, Error> {
        let unwritable = |_| Error::Damaged("a token cannot be written");
        let sealed = seal.seal(TOKEN_CONTEXT, &serde_json::to_vec(self).map_err(unwritable)?)?;
        match serde_json::to_value(sealed).map_err(unwritable)? {
            serde_json::Value::String(text) => Ok(text),
            _ => Err(Error::Damaged("a sealed value is no text")),
        }
    }

    /// Opens a token that was made here.
    pub(crate) fn open(text: &str, seal: &Seal) -> Result<Self, Error> {
        let sealed: Sealed = serde_json::from_value(text.into()).map_err(|_| Error::ImportToken)?;
        let opened = seal.open(TOKEN_CONTEXT, &sealed).map_err(|_| Error::ImportToken)?;
        serde_json::from_slice(&opened).map_err(|_| Error::ImportToken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_opens_under_its_own_seal_alone() {
        let (seal, other) = (Seal::ephemeral().unwrap(), Seal::ephemeral().unwrap());
        let token = Token { key: "k".to_owned(), number: "n".to_owned(), expires: 1 };
        let text = token.seal(&seal).unwrap();
        assert_eq!(Token::open(&text, &seal).unwrap(), token);
        assert!(matches!(Token::open(&text, &other), Err(Error::ImportToken)));
        assert!(matches!(Token::open(&text[4..], &seal), Err(Error::ImportToken)));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text: String) {
            prop_assert!(Token::open(&text, &Seal::ephemeral().unwrap()).is_err());
        }
    }
}
