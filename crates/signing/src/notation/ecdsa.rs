//! From the form of ECDSA signatures that key services speak to the one that JWS wants.

/// Bytes of a number of P-256.
const WIDTH: usize = 32;

/// `r‖s` of a DER `SEQUENCE { r INTEGER, s INTEGER }`; `None` for anything else, longer numbers included.
pub(super) fn fixed(der: &[u8]) -> Option<[u8; 2 * WIDTH]> {
    let (content, []) = element(0x30, der)? else { return None };
    let (r, rest) = element(0x02, content)?;
    let (s, []) = element(0x02, rest)? else { return None };
    let mut fixed = [0; 2 * WIDTH];
    let (left, right) = fixed.split_at_mut(WIDTH);
    place(r, left)?;
    place(s, right)?;
    Some(fixed)
}

/// The content of the element at the start, and what follows it. Nothing in a signature is longer than 127 bytes, so lengths are one
/// byte.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = bytes.split_first_chunk::<2>()?;
    (found == tag && length < 0x80).then_some(())?;
    rest.split_at_checked(usize::from(length))
}

/// Writes a positive number, in its shortest form, to the end of `place`.
fn place(number: &[u8], place: &mut [u8]) -> Option<()> {
    let digits = match number {
        // The zero only keeps the number positive.
        [0, digits @ ..] if digits.first().is_some_and(|first| *first >= 0x80) => digits,
        [first, ..] if (1..0x80).contains(first) => number,
        _ => return None,
    };
    let start = place.len().checked_sub(digits.len())?;
    place.get_mut(start..)?.copy_from_slice(digits);
    Some(())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    };
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_every_length_are_placed() {
        let mut expected = [0; 64];
        (expected[31], expected[62], expected[63]) = (1, 0x80, 2);
        assert_eq!(fixed(&[0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 2]), Some(expected));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let long = [&[0x30, 38, 2, 33][..], &[1; 33], &[2, 1, 1]].concat();
        let cases: [&[u8]; 13] = [
            b"",
            &[0x30],
            &[0x30, 0],
            &[0x31, 6, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 3, 1, 1, 2, 1, 1],
            &[0x30, 6, 2, 1, 1, 2, 1, 0],
            &[0x30, 6, 2, 1, 1, 2, 1, 0x80],
            &[0x30, 7, 2, 1, 1, 2, 2, 0, 1],
            &[0x30, 5, 2, 1, 1, 2, 0],
            &[0x30, 6, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 7, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1],
            &long,
        ];
        for case in cases {
            assert_eq!(fixed(case), None, "{case:02x?}");
        }
    }

    #[test]
    fn real_signatures_verify_in_the_other_form() {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
        // Enough that some numbers are short and some need the zero.
        for message in 0_u32..600 {
            let message = message.to_le_bytes();
            let signature = key.sign(&SystemRandom::new(), &message).unwrap();
            public.verify(&message, &fixed(signature.as_ref()).unwrap()).unwrap();
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(mut bytes: Vec<u8>, sequence: bool) {
            if sequence {
                let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
                bytes.splice(0..0, [0x30, length]);
            }
            if let Some(fixed) = fixed(&bytes) {
                prop_assert!(fixed.iter().any(|byte| *byte != 0));
            }
        }
    }
}
