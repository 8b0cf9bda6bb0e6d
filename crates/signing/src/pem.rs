//! Keys and certificates in the text form that verifiers read (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Characters of base64 in a line.
const WIDTH: usize = 64;

/// A DER `SubjectPublicKeyInfo` as PEM, what `cosign verify --key` takes.
#[must_use]
pub fn public_key_pem(public_key: &[u8]) -> String {
    encode("PUBLIC KEY", public_key)
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
