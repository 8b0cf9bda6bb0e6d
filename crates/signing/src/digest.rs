//! Content digests as manifests name them.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A SHA-256 content digest, written `sha256:<64 lower-case hex digits>`.
///
/// Other algorithms of the OCI image specification are refused: the tag scheme of [`simple`](crate::simple)
/// cannot name them, since `sha512-<128 digits>.sig` is longer than the 128 characters that a tag may have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Why a text is not a [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DigestError {
    /// The part before the colon is not `sha256`, or there is no colon.
    #[error("{0:?} is not a sha256 digest")]
    Algorithm(String),
    /// The part after the colon is not 64 lower-case hex digits.
    #[error("{0:?} does not hold 64 lower-case hex digits")]
    Encoding(String),
}

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The hash itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 lower-case hex digits, without the algorithm.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digits = text.strip_prefix("sha256:").ok_or_else(|| DigestError::Algorithm(text.to_owned()))?;
        let mut bytes = [0; 32];
        if digits.bytes().any(|digit| digit.is_ascii_uppercase())
            || hex::decode_to_slice(digits, &mut bytes).is_err()
        {
            return Err(DigestError::Encoding(text.to_owned()));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse(), Ok(Digest::of(b"")));
    }

    #[test]
    fn other_algorithms_are_refused() {
        for text in ["", "sha256", "sha512:00", "SHA256:00", &EMPTY[7..]] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError::Algorithm(text.to_owned())));
        }
    }

    #[test]
    fn other_encodings_are_refused() {
        for text in [
            "sha256:".to_owned(),
            EMPTY[..70].to_owned(),
            format!("{EMPTY}0"),
            EMPTY.replace('e', "E"),
            EMPTY.replace('e', "g"),
            EMPTY.replace("e3", "é"),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError::Encoding(text)));
        }
    }

    proptest! {
        #[test]
        fn a_digest_reads_back_as_written(content: Vec<u8>) {
            let digest = Digest::of(&content);
            prop_assert_eq!(digest.to_string().parse(), Ok(digest));
        }
    }
}
