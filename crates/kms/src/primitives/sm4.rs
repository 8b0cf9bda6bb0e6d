//! SM4 (GB/T 32907) in Galois counter mode, as RFC 8998 has it: nonces of 12 bytes, tags of 16.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use sm4::Sm4;
use zeroize::Zeroizing;

use crate::error::Error;

/// The length of a key, in bytes.
pub(crate) const KEY_LENGTH: usize = 16;
/// The length of a nonce, in bytes.
pub(crate) const NONCE_LENGTH: usize = 12;

type Sm4Gcm = AesGcm<Sm4, U12>;

/// The ciphertext of `text` and its tag. A nonce must not occur twice under one key.
pub(crate) fn encrypt(
    key: &[u8; KEY_LENGTH],
    nonce: &[u8; NONCE_LENGTH],
    context: &[u8],
    text: &[u8],
) -> Result<Vec<u8>, Error> {
    Sm4Gcm::new(key.into())
        .encrypt(nonce.into(), Payload { msg: text, aad: context })
        .map_err(|_| Error::Cryptography("SM4 could not encrypt"))
}

/// The text that [`encrypt`] made `ciphertext` of; `None` where key, nonce, context or a byte is another.
pub(crate) fn decrypt(
    key: &[u8; KEY_LENGTH],
    nonce: &[u8; NONCE_LENGTH],
    context: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let text = Sm4Gcm::new(key.into()).decrypt(nonce.into(), Payload { msg: ciphertext, aad: context });
    text.ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sm4::cipher::BlockCipherEncrypt as _;

    use super::*;
    use crate::primitives::block::hexadecimal;

    #[test]
    fn the_block_cipher_gives_both_examples_of_the_standard() {
        let key: [u8; 16] = hexadecimal("0123456789abcdeffedcba9876543210").try_into().unwrap();
        let cipher = Sm4::new(&key.into());
        let mut block = key.into();
        cipher.encrypt_block(&mut block);
        assert_eq!(block.as_slice(), hexadecimal("681edf34d206965e86b3e94f536e4246"));
        for _ in 1..1_000_000 {
            cipher.encrypt_block(&mut block);
        }
        assert_eq!(block.as_slice(), hexadecimal("595298c7c6fd271f0402f804c33d3f66"));
    }

    #[test]
    fn the_mode_gives_the_example_of_rfc_8998() {
        let key = hexadecimal("0123456789abcdeffedcba9876543210").try_into().unwrap();
        let nonce = hexadecimal("00001234567800000000abcd").try_into().unwrap();
        let context = hexadecimal("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let text: Vec<_> = b"\xaa\xbb\xcc\xdd\xee\xff\xee\xaa".iter().flat_map(|byte| [*byte; 8]).collect();
        let mut expected = hexadecimal(
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
             d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d",
        );
        expected.extend(hexadecimal("83de3541e4c2b58177e065a9bf7b62ec"));
        assert_eq!(encrypt(&key, &nonce, &context, &text).unwrap(), expected);
        assert_eq!(*decrypt(&key, &nonce, &context, &expected).unwrap(), text);
    }

    proptest! {
        #[test]
        fn only_what_was_encrypted_decrypts(
            key: [u8; 16], nonce: [u8; 12], context: Vec<u8>, text: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8,
        ) {
            let mut ciphertext = encrypt(&key, &nonce, &context, &text).unwrap();
            prop_assert_eq!(&*decrypt(&key, &nonce, &context, &ciphertext).unwrap(), &text);
            let mut elsewhere = context.clone();
            elsewhere.push(0);
            prop_assert!(decrypt(&key, &nonce, &elsewhere, &ciphertext).is_none());
            prop_assert!(decrypt(&key, &nonce, &context, &ciphertext[1..]).is_none());
            let at = at.index(ciphertext.len());
            ciphertext[at] ^= 1 << bit;
            prop_assert!(decrypt(&key, &nonce, &context, &ciphertext).is_none());
        }
    }
}
