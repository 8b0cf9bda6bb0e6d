//! What is signed or verified, as requests carry it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::error::Error;
use crate::material::Digest;

/// The longest message that is hashed here, in bytes.
pub(crate) const RAW_LIMIT: usize = 4096;
/// The length of a digest that the customer made, in bytes.
pub(crate) const DIGEST_LENGTH: usize = 32;

/// The bytes of a parameter in standard Base64.
pub(crate) fn decode(parameter: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    BASE64_STANDARD.decode(text).map_err(|_| Error::NotBase64(parameter))
}

/// The digest that `Message` and `MessageType` stand for: of the message (`RAW`, also where nothing is said), or the message
/// itself (`DIGEST`).
pub(crate) fn digest(message: &str, message_type: Option<&str>) -> Result<Digest, Error> {
    match message_type {
        None | Some("RAW") => {
            let message = decode("Message", message)?;
            if message.len() > RAW_LIMIT {
                return Err(Error::MessageTooLong(message.len()));
            }
            Ok(Digest::of(&message))
        }
        Some("DIGEST") => {
            let message = decode("Message", message)?;
            Digest::import(&message).ok_or(Error::DigestLength(message.len()))
        }
        Some(other) => Err(Error::value("MessageType", &other)),
    }
}
