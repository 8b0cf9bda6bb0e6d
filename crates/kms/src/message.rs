//! What is signed or verified, as requests carry it.

use aws_lc_rs::digest::{self, Digest, SHA256, SHA384};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::error::Error;
use crate::usage::Algorithm;

/// The longest message that is hashed here, in bytes.
pub(crate) const RAW_LIMIT: usize = 4096;

/// The bytes of a parameter in standard Base64.
pub(crate) fn decode(parameter: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    BASE64_STANDARD.decode(text).map_err(|_| Error::NotBase64(parameter))
}

/// The bytes of a `Message` that is to be signed as it is.
pub(crate) fn raw(message: &str) -> Result<Vec<u8>, Error> {
    let message = decode("Message", message)?;
    if message.len() > RAW_LIMIT { Err(Error::MessageTooLong(message.len())) } else { Ok(message) }
}

/// What is signed.
pub(crate) enum Message {
    /// The message itself.
    Raw(Vec<u8>),
    /// The digest that the customer made of it.
    Digest(Vec<u8>),
}

impl Message {
    /// Reads `Message` and `MessageType`: the message itself (`RAW`, also where nothing is said) or a digest of the length that the
    /// algorithm signs (`DIGEST`).
    pub(crate) fn read(
        algorithm: Algorithm,
        message: &str,
        message_type: Option<&str>,
    ) -> Result<Self, Error> {
        match message_type {
            None | Some("RAW") => raw(message).map(Self::Raw),
            Some("DIGEST") => {
                let (digest, expected) = (decode("Message", message)?, algorithm.digest_length());
                if digest.len() != expected {
                    return Err(Error::DigestLength { expected, found: digest.len() });
                }
                Ok(Self::Digest(digest))
            }
            Some(other) => Err(Error::value("MessageType", &other)),
        }
    }

    /// The SHA-2 digest that `algorithm` signs.
    pub(crate) fn sha2(&self, algorithm: Algorithm) -> Result<Digest, Error> {
        let hash = if algorithm == Algorithm::EcdsaP384Sha384 { &SHA384 } else { &SHA256 };
        match self {
            Self::Raw(message) => Ok(digest::digest(hash, message)),
            Self::Digest(bytes) => Digest::import_less_safe(bytes, hash)
                .map_err(|_| Error::DigestLength { expected: hash.output_len(), found: bytes.len() }),
        }
    }

    /// The value e that SM2 signs, where the customer made it.
    pub(crate) fn sm3(&self) -> Result<[u8; 32], Error> {
        let (Self::Raw(bytes) | Self::Digest(bytes)) = self;
        let expected = Algorithm::Sm2.digest_length();
        bytes.as_slice().try_into().map_err(|_| Error::DigestLength { expected, found: bytes.len() })
    }
}
