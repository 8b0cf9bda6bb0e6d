//! The derived signing key.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::TERMINATOR;
use crate::mac::{hmac_sha256, hmac_sha256_of};

/// The key that signs requests of one secret key, date and service.
///
/// Deriving it costs four HMACs, so a server keeps it for the day. It is held as a keyed HMAC, whose state is
/// overwritten when it is dropped, and prints nothing of itself.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// Derives the key for the UTC `date` (`YYYY-MM-DD`) and `service` of a credential scope.
    ///
    /// `service` is opaque: SDKs given an address rather than a domain put `127` or `localhost:8080` there.
    #[must_use]
    pub fn derive(secret_key: &str, date: &str, service: &str) -> Self {
        let signing_key = signing_key(&service_key(&date_key(secret_key, date), service));
        Self(hmac_sha256(&[signing_key.as_slice()]))
    }

    /// HMAC-SHA256 of `text`.
    pub(super) fn sign(&self, text: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(redacted)")
    }
}

type Key = Zeroizing<[u8; 32]>;

/// `SecretDate` of the documentation.
fn date_key(secret_key: &str, date: &str) -> Key {
    hmac_sha256_of(&[b"TC3", secret_key.as_bytes()], date.as_bytes())
}

/// `SecretService` of the documentation.
fn service_key(date_key: &Key, service: &str) -> Key {
    hmac_sha256_of(&[date_key.as_slice()], service.as_bytes())
}

/// `SecretSigning` of the documentation.
fn signing_key(service_key: &Key) -> Key {
    hmac_sha256_of(&[service_key.as_slice()], TERMINATOR.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The intermediate keys of the documented examples, in order of derivation.
    #[test]
    fn intermediate_keys_of_the_documented_examples() {
        for (secret_key, expected) in [
            (
                "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
                [
                    "d1308c81fe71cfd4e06437bbc067b2b8a3d2d8c0e375d547f15c41d5214b395a",
                    "3c7cb7c7795393edc14fd2e0e6434a518564b4504b88e94f5d11bf59ba3e7050",
                    "ac658d5dde49e9bfdd14e04e062f66b05d9f637d44b8a8d845327d4a77f666b1",
                ],
            ),
            (
                "********************************",
                [
                    "da98fb70dcf6b112dc21038d1eeeb3a95c74b4dcb12c1131f864f6066bd02be0",
                    "8d70cbefb03939f929db64d32dc2ba89b1095620119fe3e050e2b18c5bd2752f",
                    "b596b923aad85185e2d1f6659d2a062e0a86731226e021e61bfe06f7ed05f5af",
                ],
            ),
        ] {
            let date = date_key(secret_key, "2019-02-25");
            let service = service_key(&date, "cvm");
            let signing = signing_key(&service);
            assert_eq!([date, service, signing].map(|key| hex::encode(key.as_slice())), expected);
        }
    }

    #[test]
    fn debug_shows_no_key_material() {
        let key = SigningKey::derive("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "2019-02-25", "cvm");
        assert_eq!(format!("{key:?}"), "SigningKey(redacted)");
    }

    /// A keyed HMAC is two SHA-256 states, which have to be overwritten on drop; this stops compiling if the `zeroize`
    /// feature is lost.
    #[test]
    fn hash_states_are_overwritten_on_drop() {
        fn assert_zeroized<T: zeroize::ZeroizeOnDrop>() {}
        assert_zeroized::<Sha256>();
    }
}
