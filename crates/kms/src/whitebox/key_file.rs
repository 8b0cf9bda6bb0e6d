//! The files that a white-box key is handed out as: `EncryptKey` and `DecryptKey`, in Base64.
//!
//! | Bytes | What |
//! |---|---|
//! | 0–3 | `RKWB` |
//! | 4 | 1, the version of the format |
//! | 5 | 1 to encrypt, 2 to decrypt |
//! | 6 | 1 for AES-256-CBC, 2 for SM4-CBC, both with the padding of PKCS #7 |
//! | 7 | 0 if the key follows, 1 if envelopes follow |
//! | 8–23 | the key's id |
//! | 24– | the key, of 32 or 16 bytes; or envelopes, each of the key's length and 16 more |
//!
//! An envelope is the key for one device: AES-256-GCM under HKDF-SHA-256 of the device's fingerprint (salt: the key's id; info:
//! `rookery white-box device`), with a nonce of zeros, since that key encrypts nothing else, and bytes 0–23 as its context.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::Algorithm;
use crate::error::Error;
use crate::keys::KeyId;

const MARK: &[u8; 4] = b"RKWB";
const VERSION: u8 = 1;
const TO_ENCRYPT: u8 = 1;
const TO_DECRYPT: u8 = 2;
const BARE: u8 = 0;
const BOUND: u8 = 1;
const ENVELOPE: &[u8] = b"rookery white-box device";

/// The file with which one encrypts.
pub(crate) fn to_encrypt(id: &KeyId, algorithm: Algorithm, key: &[u8]) -> Result<String, Error> {
    Ok(bare(header(TO_ENCRYPT, BARE, id, algorithm)?, key))
}

/// The file with which one decrypts: on every device, or, if there are fingerprints, on the devices that have them.
pub(crate) fn to_decrypt<'a>(
    id: &KeyId,
    algorithm: Algorithm,
    key: &[u8],
    fingerprints: impl ExactSizeIterator<Item = &'a str>,
) -> Result<String, Error> {
    if fingerprints.len() == 0 {
        return Ok(bare(header(TO_DECRYPT, BARE, id, algorithm)?, key));
    }
    let header = header(TO_DECRYPT, BOUND, id, algorithm)?;
    let mut file = header.clone();
    for fingerprint in fingerprints {
        file.extend(envelope(&header, fingerprint, key)?);
    }
    Ok(BASE64_STANDARD.encode(file))
}

fn header(direction: u8, binding: u8, id: &KeyId, algorithm: Algorithm) -> Result<Vec<u8>, Error> {
    let mut header = MARK.to_vec();
    header.extend([VERSION, direction, algorithm.number(), binding]);
    header.extend(id.to_bytes().ok_or(Error::Damaged("the id of a white-box key is no UUID"))?);
    Ok(header)
}

fn bare(header: Vec<u8>, key: &[u8]) -> String {
    let mut file = Zeroizing::new(header);
    file.extend(key);
    BASE64_STANDARD.encode(&*file)
}

fn envelope(header: &[u8], fingerprint: &str, key: &[u8]) -> Result<Vec<u8>, Error> {
    let mut envelope = key.to_vec();
    device_key(header, fingerprint)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key([0; NONCE_LEN]),
            Aad::from(header),
            &mut envelope,
        )
        .map_err(|_| Error::Cryptography("a white-box key could not be bound to a device"))?;
    Ok(envelope)
}

fn device_key(header: &[u8], fingerprint: &str) -> Result<LessSafeKey, Error> {
    let failed = |_| Error::Cryptography("a device's key could not be derived");
    let id = header.get(8..24).unwrap_or_default();
    let derived = Salt::new(HKDF_SHA256, id).extract(fingerprint.as_bytes());
    let okm = derived.expand(&[ENVELOPE], &AES_256_GCM).map_err(failed)?;
    Ok(LessSafeKey::new(UnboundKey::from(okm)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "08408a30-0416-11ed-abdc-52540036b432";

    fn decoded(file: &str) -> Vec<u8> {
        BASE64_STANDARD.decode(file).unwrap()
    }

    #[test]
    fn an_unbound_file_ends_with_the_key() {
        let id = KeyId::parse(ID).unwrap();
        let (key, none) = ([7; 16], std::iter::empty::<&str>());
        let file = decoded(&to_decrypt(&id, Algorithm::Sm4, &key, none).unwrap());
        let bytes = crate::primitives::block::hexadecimal(&ID.replace('-', ""));
        assert_eq!(file, [&b"RKWB\x01\x02\x02\x00"[..], &bytes, &key].concat());
        let file = decoded(&to_encrypt(&id, Algorithm::Aes256, &[9; 32]).unwrap());
        assert_eq!(file, [&b"RKWB\x01\x01\x01\x00"[..], &bytes, &[9; 32]].concat());
    }

    #[test]
    fn a_bound_file_opens_with_each_fingerprint_and_no_other() {
        let id = KeyId::parse(ID).unwrap();
        let key = [7; 32];
        let file = decoded(&to_decrypt(&id, Algorithm::Aes256, &key, ["one", "two"].into_iter()).unwrap());
        let (header, envelopes) = file.split_at(24);
        assert_eq!((header[7], envelopes.len()), (1, 2 * 48));
        assert!(!file.windows(32).any(|window| window == key));
        for (fingerprint, expected) in [("one", Some(0)), ("two", Some(1)), ("three", None)] {
            let opened = envelopes.chunks(48).position(|envelope| {
                let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
                let mut envelope = envelope.to_vec();
                let opening = device_key(header, fingerprint).unwrap();
                opening.open_in_place(nonce, Aad::from(header), &mut envelope).is_ok_and(|text| *text == key)
            });
            assert_eq!(opened, expected, "{fingerprint}");
        }
    }
}
