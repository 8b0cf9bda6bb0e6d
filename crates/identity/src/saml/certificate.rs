//! The public key of a certificate, taken out of its DER.

/// The `SubjectPublicKeyInfo`, as DER with its header.
pub(crate) fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (tag, certificate, _) = element(certificate)?;
    let (inner_tag, mut body, _) = element(certificate.content)?;
    if tag != SEQUENCE || inner_tag != SEQUENCE {
        return None;
    }
    let mut rest = body.content;
    // version (where it is not the default), serial number, algorithm, issuer, validity, subject; then the key.
    let (first, _, after) = element(rest)?;
    if first == VERSION {
        rest = after;
    }
    for _ in 0..5 {
        rest = element(rest)?.2;
    }
    let (tag, key, _) = element(rest)?;
    body = key;
    (tag == SEQUENCE).then_some(body.whole)
}

/// One element: with its header, and without.
struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

/// The tag of the first element, the element, and what follows it.
fn element(der: &[u8]) -> Option<(u8, Element<'_>, &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let bytes = usize::from(first & 0x7f);
        // Four bytes of length are more than any certificate has.
        let (length, rest) = rest.split_at_checked(bytes).filter(|_| (1..=4).contains(&bytes))?;
        (length.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte)), rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    let whole = der.get(..der.len() - after.len())?;
    Some((tag, Element { whole, content }, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = public_key(&bytes);
        }
    }

    #[test]
    fn what_is_cut_has_no_key() {
        let text = include_str!("testdata/idp.cert.b64");
        let certificate = super::super::base64(text).unwrap();
        let key = public_key(&certificate).unwrap();
        assert_eq!(key[..4], [0x30, 0x82, 0x01, 0x22], "an RSA-2048 key");
        for length in 0..certificate.len() {
            assert!(public_key(&certificate[..length]).is_none(), "{length}");
        }
    }
}
