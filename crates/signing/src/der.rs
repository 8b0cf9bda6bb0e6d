//! Just enough DER to find the key in a certificate.

/// An element.
pub(crate) struct Element<'a> {
    /// With its tag and length.
    pub(crate) whole: &'a [u8],
    pub(crate) content: &'a [u8],
}

/// The first element, and what follows it. `None` for anything that is no DER, or whose tag takes several bytes.
pub(crate) fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        // No certificate is longer than four bytes can say.
        let digits = usize::from(first & 0x7f);
        let (digits, rest) = rest.split_at_checked(digits).filter(|_| (1..=4).contains(&digits))?;
        (
            digits.iter().try_fold(0_usize, |length, digit| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            })?,
            rest,
        )
    };
    let (content, rest) = rest.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - rest.len())?;
    Some((Element { whole, content }, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_come_in_two_forms() {
        let (short, rest) = element(&[0x04, 0x02, 1, 2, 9]).unwrap();
        assert_eq!((short.whole, short.content, rest), (&[4, 2, 1, 2][..], &[1, 2][..], &[9][..]));
        let long: Vec<u8> = [0x04, 0x82, 0x01, 0x00].into_iter().chain([7; 256]).collect();
        assert_eq!(element(&long).unwrap().0.content, [7; 256]);
    }

    #[test]
    fn what_is_cut_off_is_no_element() {
        for bytes in [&[][..], &[4], &[4, 2, 1], &[4, 0x80], &[4, 0x85, 0, 0, 0, 0, 1, 7], &[0x1f, 1, 1]] {
            assert!(element(bytes).is_none(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            if let Some((element, rest)) = element(&bytes) {
                prop_assert_eq!(element.whole.len() + rest.len(), bytes.len());
            }
        }
    }
}
