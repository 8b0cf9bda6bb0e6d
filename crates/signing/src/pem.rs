//! Keys and certificates in the text form that verifiers read (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// Characters of base64 in a line.
const WIDTH: usize = 64;

/// A DER `SubjectPublicKeyInfo` as PEM, what `cosign verify --key` takes.
#[must_use]
pub fn public_key_pem(public_key: &[u8]) -> String {
    encode("PUBLIC KEY", public_key)
}

/// The text is not the public key in PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a public key in PEM")]
pub struct PemError;

/// The DER `SubjectPublicKeyInfo` of a public key in PEM.
pub fn public_key_from_pem(text: &str) -> Result<Vec<u8>, PemError> {
    decode("PUBLIC KEY", text).ok_or(PemError)
}

/// The content of the first block with that label.
pub(crate) fn decode(label: &str, text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (content, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let content: String = content.split_ascii_whitespace().collect();
    STANDARD.decode(content).ok()
}

pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for (position, character) in STANDARD.encode(der).chars().enumerate() {
        if position > 0 && position % WIDTH == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.extend(["\n-----END ", label, "-----\n"]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_sixty_four_characters_and_the_last_one_ends() {
        let text = encode("THING", &[0; 49]);
        let zeros = "A".repeat(64);
        assert_eq!(text, format!("-----BEGIN THING-----\n{zeros}\nAA==\n-----END THING-----\n"));
        let text = public_key_pem(&[0; 48]);
        assert_eq!(text, format!("-----BEGIN PUBLIC KEY-----\n{zeros}\n-----END PUBLIC KEY-----\n"));
    }
}
