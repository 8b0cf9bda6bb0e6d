//! HMAC keys of any length, prepared without a failure path.

use hmac::digest::{Digest, KeyInit};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Block length of SHA-1 and SHA-256, in bytes.
const BLOCK: usize = 64;

/// HMAC-SHA256 keyed with the concatenation of `parts`.
pub(crate) fn hmac_sha256(parts: &[&[u8]]) -> Hmac<Sha256> {
    let block = key_block::<Sha256>(parts);
    Hmac::new((&*block).into())
}

/// HMAC-SHA1 keyed with the concatenation of `parts`.
pub(crate) fn hmac_sha1(parts: &[&[u8]]) -> Hmac<Sha1> {
    let block = key_block::<Sha1>(parts);
    Hmac::new((&*block).into())
}

/// The 32 bytes of HMAC-SHA256 of `message` under `key`.
pub(crate) fn hmac_sha256_of(key: &[&[u8]], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = hmac_sha256(key);
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The key block of RFC 2104: the key padded with zeros, or its digest when it is longer than a block.
fn key_block<D: Digest>(parts: &[&[u8]]) -> Zeroizing<[u8; BLOCK]> {
    let mut block = Zeroizing::new([0; BLOCK]);
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length <= BLOCK {
        let bytes = parts.iter().copied().flatten();
        block.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    } else {
        let mut digest = D::new();
        for part in parts {
            digest.update(part);
        }
        block.iter_mut().zip(digest.finalize()).for_each(|(slot, byte)| *slot = byte);
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex_sha256(key: &[&[u8]], message: &[u8]) -> String {
        hex::encode(hmac_sha256_of(key, message).as_slice())
    }

    // RFC 4231, test cases 1, 2 and 6 (a key of 131 bytes).
    #[test]
    fn sha256_agrees_with_rfc_4231() {
        assert_eq!(
            hex_sha256(&[&[0x0b; 20]], b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex_sha256(&[b"Je", b"fe"], b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex_sha256(
                &[&[0xaa; 100], &[0xaa; 31]],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            ),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    // RFC 2202, test cases 2 and 6 (a key of 80 bytes).
    #[test]
    fn sha1_agrees_with_rfc_2202() {
        let hex_sha1 = |key: &[u8], message: &[u8]| {
            let mut mac = hmac_sha1(&[key]);
            mac.update(message);
            hex::encode(mac.finalize().into_bytes())
        };
        assert_eq!(
            hex_sha1(b"Jefe", b"what do ya want for nothing?"),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert_eq!(
            hex_sha1(&[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        );
    }

    #[test]
    fn a_key_of_exactly_one_block_is_not_hashed() {
        let key = [7; BLOCK];
        assert_eq!(key_block::<Sha256>(&[&key]).as_slice(), key);
        assert_ne!(key_block::<Sha256>(&[&key, b"x"]).get(..32), key.get(..32));
    }
}
