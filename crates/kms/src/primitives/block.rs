//! Cipher block chaining with the padding of PKCS #7, which is what white-box keys encrypt with: the platform's example answers 16
//! bytes for 5 bytes of text and an initialization vector of 16. The mode keeps a text secret and does not notice alterations.

use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use sm4::Sm4;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

use crate::error::Error;

/// The length of a block of either cipher, and of an initialization vector, in bytes.
pub(crate) const BLOCK_LENGTH: usize = 16;

/// SM4-CBC of `text`.
pub(crate) fn sm4_cbc(key: &[u8; 16], vector: [u8; BLOCK_LENGTH], text: &[u8]) -> Vec<u8> {
    Encryptor::<Sm4>::new(key.into(), &vector.into()).encrypt_padded_vec::<Pkcs7>(text)
}

/// AES-256-CBC of `text`.
pub(crate) fn aes_256_cbc(key: &[u8; 32], vector: [u8; BLOCK_LENGTH], text: &[u8]) -> Result<Vec<u8>, Error> {
    let failed = |_| Error::Cryptography("AES could not encrypt");
    let key = UnboundCipherKey::new(&AES_256, key).map_err(failed)?;
    let mut bytes = text.to_vec();
    PaddedBlockEncryptingKey::cbc_pkcs7(key)
        .and_then(|key| {
            key.less_safe_encrypt(&mut bytes, EncryptionContext::Iv128(FixedLength::from(vector)))
        })
        .map_err(failed)?;
    Ok(bytes)
}

/// The bytes that hexadecimal digits stand for, in tests.
#[cfg(test)]
pub(crate) fn hexadecimal(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aes_gives_the_first_block_of_sp_800_38a() {
        let key = hexadecimal("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        let vector = hexadecimal("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let text = hexadecimal("6bc1bee22e409f96e93d7e117393172a");
        let ciphertext = aes_256_cbc(&key.try_into().unwrap(), vector, &text).unwrap();
        assert_eq!(ciphertext[..16], hexadecimal("f58c4c04d6e5f1ba779eabfb5f7bfbd6"));
        assert_eq!(ciphertext.len(), 32);
    }

    #[test]
    fn sm4_gives_the_first_example_of_draft_ribose_cfrg_sm4() {
        let key = hexadecimal("0123456789abcdeffedcba9876543210").try_into().unwrap();
        let vector = hexadecimal("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let text = hexadecimal("aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffaaaaaaaabbbbbbbb");
        let expected = hexadecimal("78ebb11cc40b0a48312aaeb2040244cb4cb7016951909226979b0d15dc6a8f6d");
        let ciphertext = sm4_cbc(&key, vector, &text);
        assert_eq!((&ciphertext[..32], ciphertext.len()), (&*expected, 48));
    }

    #[test]
    fn texts_are_padded_to_whole_blocks_and_one_more_where_they_fill_them() {
        for (text, length) in [(0, 16), (5, 16), (15, 16), (16, 32), (4096, 4112)] {
            let text = vec![7; text];
            assert_eq!(sm4_cbc(&[1; 16], [2; 16], &text).len(), length);
            assert_eq!(aes_256_cbc(&[1; 32], [2; 16], &text).unwrap().len(), length);
        }
    }
}
