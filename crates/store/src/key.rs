//! Keys as bytes whose order is the order of the values.
//!
//! Every encoding is self-delimiting: no encoding is the beginning of another of the same type, so encodings can be
//! put one after the other, and what follows one never changes how it compares.

use std::fmt;

/// The byte that ends an encoded string: lower than every byte inside one.
const END: u8 = 0x00;
/// The byte that announces an escaped byte inside a string.
const ESCAPE: u8 = 0x01;

/// Stored bytes that are not an encoding of the type that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes end before the value does.
    #[error("the key ends too early")]
    Short,
    /// The bytes encode no value of the type.
    #[error("the key holds bytes that its type never writes")]
    Malformed,
    /// Bytes are left over after the value.
    #[error("the key has bytes after its end")]
    Trailing,
}

/// A type that can be a key: encoded so that the order of the bytes is the order of the values.
///
/// Implemented for `String`, `u64`, `i64`, `bool`, `[u8; N]` and tuples of two to four keys. For a type of your own
/// (an enumeration, a validated name), implement it through one of these.
pub trait Key: Sized {
    /// Appends the encoding to `out`. It must be self-delimiting and order-preserving.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes one value from the front of `input`.
    fn decode(input: &mut &[u8]) -> Result<Self, KeyError>;
}

/// A value that stands for a key of type `K` in a call: the key itself, or a `str` for a `String`.
pub trait ToKey<K> {
    /// Appends the encoding of the key to `out`.
    fn encode_key(&self, out: &mut Vec<u8>);
}

impl<K: Key> ToKey<K> for K {
    fn encode_key(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
}

impl ToKey<String> for str {
    fn encode_key(&self, out: &mut Vec<u8>) {
        encode_str(self, out);
    }
}

/// Decodes a key that fills all of `bytes`.
pub(crate) fn decode_whole<K: Key>(mut bytes: &[u8]) -> Result<K, KeyError> {
    let key = K::decode(&mut bytes)?;
    if bytes.is_empty() { Ok(key) } else { Err(KeyError::Trailing) }
}

/// The smallest byte string above every string that begins with `prefix`; `None` where there is none (all bytes 0xFF).
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut next = prefix.get(..=last)?.to_vec();
    if let Some(byte) = next.last_mut() {
        *byte += 1;
    }
    Some(next)
}

fn take<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], KeyError> {
    let (head, rest) = input.split_first_chunk::<N>().ok_or(KeyError::Short)?;
    *input = rest;
    Ok(*head)
}

fn encode_str(text: &str, out: &mut Vec<u8>) {
    encode_str_open(text, out);
    out.push(END);
}

/// Without the end, so that it is a prefix of every longer string's encoding.
fn encode_str_open(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 1);
    for byte in text.bytes() {
        if byte <= ESCAPE {
            out.extend([ESCAPE, byte + 1]);
        } else {
            out.push(byte);
        }
    }
}

impl Key for String {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_str(self, out);
    }

    fn decode(input: &mut &[u8]) -> Result<String, KeyError> {
        let mut text = Vec::new();
        loop {
            let [byte] = take(input)?;
            match byte {
                END => break,
                ESCAPE => match take(input)? {
                    [escaped @ 1..=2] => text.push(escaped - 1),
                    _ => return Err(KeyError::Malformed),
                },
                _ => text.push(byte),
            }
        }
        String::from_utf8(text).map_err(|_| KeyError::Malformed)
    }
}

impl Key for u64 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }

    fn decode(input: &mut &[u8]) -> Result<u64, KeyError> {
        take(input).map(u64::from_be_bytes)
    }
}

impl Key for i64 {
    fn encode(&self, out: &mut Vec<u8>) {
        // The sign bit flipped puts the negative numbers below the others.
        out.extend((*self ^ i64::MIN).to_be_bytes());
    }

    fn decode(input: &mut &[u8]) -> Result<i64, KeyError> {
        take(input).map(|bytes| i64::from_be_bytes(bytes) ^ i64::MIN)
    }
}

impl Key for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(input: &mut &[u8]) -> Result<bool, KeyError> {
        match take(input)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(KeyError::Malformed),
        }
    }
}

impl<const N: usize> Key for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self);
    }

    fn decode(input: &mut &[u8]) -> Result<[u8; N], KeyError> {
        take(input)
    }
}

macro_rules! tuple_key {
    ($($part:ident)+) => {
        impl<$($part: Key),+> Key for ($($part,)+) {
            #[allow(non_snake_case, reason = "the macro names each value as its type")]
            fn encode(&self, out: &mut Vec<u8>) {
                let ($($part,)+) = self;
                $($part.encode(out);)+
            }

            fn decode(input: &mut &[u8]) -> Result<Self, KeyError> {
                Ok(($($part::decode(input)?,)+))
            }
        }
    };
}
tuple_key!(A B);
tuple_key!(A B C);
tuple_key!(A B C D);

/// A value that fixes the first part of a key of type `K`: the first members of a tuple, or how a string begins.
pub trait Prefix<K> {
    /// Appends the bytes with which the encodings of all such keys begin.
    fn encode_prefix(&self, out: &mut Vec<u8>);
}

macro_rules! tuple_prefix {
    ($prefix:ty => $($part:ident)+) => {
        impl<$($part: Key),+> Prefix<($($part,)+)> for $prefix {
            fn encode_prefix(&self, out: &mut Vec<u8>) {
                self.encode(out);
            }
        }
    };
}
tuple_prefix!(A => A B);
tuple_prefix!(A => A B C);
tuple_prefix!(A => A B C D);
tuple_prefix!((A, B) => A B C);
tuple_prefix!((A, B) => A B C D);
tuple_prefix!((A, B, C) => A B C D);

macro_rules! str_prefix {
    ($($part:ident)+) => {
        impl<$($part: Key),+> Prefix<(String, $($part,)+)> for str {
            fn encode_prefix(&self, out: &mut Vec<u8>) {
                encode_str(self, out);
            }
        }
    };
}
str_prefix!(B);
str_prefix!(B C);
str_prefix!(B C D);

/// The strings that begin with a text: `Scan::all().prefix(&Starting("library/"))`, or `(a, Starting("v1."))` under the
/// first member of a pair.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Starting<'a>(pub &'a str);

impl fmt::Debug for Starting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Starting({:?})", self.0)
    }
}

impl Prefix<String> for Starting<'_> {
    fn encode_prefix(&self, out: &mut Vec<u8>) {
        encode_str_open(self.0, out);
    }
}

impl<A: Key> Prefix<(A, String)> for (A, Starting<'_>) {
    fn encode_prefix(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        encode_str_open(self.1.0, out);
    }
}

impl ToKey<(String, String)> for (&str, &str) {
    fn encode_key(&self, out: &mut Vec<u8>) {
        encode_str(self.0, out);
        encode_str(self.1, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded<K: Key>(key: &K) -> Vec<u8> {
        let mut out = Vec::new();
        key.encode(&mut out);
        out
    }

    fn prefix_of<K>(prefix: &(impl Prefix<K> + ?Sized)) -> Vec<u8> {
        let mut out = Vec::new();
        prefix.encode_prefix(&mut out);
        out
    }

    /// Strings in which the bytes that the encoding treats specially are frequent.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "[\u{0}\u{1}\u{2}a]{0,4}"]
    }

    fn assert_ordered<K: Key + Ord + fmt::Debug>(a: &K, b: &K) {
        let (left, right) = (encoded(a), encoded(b));
        assert_eq!(left.cmp(&right), a.cmp(b), "{a:?} and {b:?}");
        assert_eq!(decode_whole::<K>(&left).as_ref(), Ok(a));
        assert_eq!(left.starts_with(&right), a == b, "{b:?} begins {a:?}");
    }

    proptest! {
        #[test]
        fn strings_keep_their_order(a in text(), b in text()) {
            assert_ordered(&a, &b);
        }

        #[test]
        fn numbers_keep_their_order(a: u64, b: u64, c: i64, d: i64, e: [u8; 3], f: [u8; 3], g: bool, h: bool) {
            assert_ordered(&a, &b);
            assert_ordered(&c, &d);
            assert_ordered(&e, &f);
            assert_ordered(&g, &h);
        }

        #[test]
        fn tuples_keep_their_order(
            a in (text(), any::<u64>()), b in (text(), any::<u64>()),
            c in (text(), text(), any::<i64>()), d in (text(), text(), any::<i64>()),
            e in (any::<bool>(), text(), any::<[u8; 2]>(), text()), f in (any::<bool>(), text(), any::<[u8; 2]>(), text()),
        ) {
            assert_ordered(&a, &b);
            assert_ordered(&c, &d);
            assert_ordered(&e, &f);
        }

        #[test]
        fn any_bytes_decode_to_a_key_or_an_error(bytes: Vec<u8>) {
            if let Ok(key) = decode_whole::<(String, bool)>(&bytes) {
                prop_assert_eq!(encoded(&key), bytes);
            }
        }

        #[test]
        fn a_prefix_selects_what_begins_with_it(a in text(), b in text(), c in text(), n: u64) {
            let whole = encoded(&(a.clone(), b.clone(), n));
            prop_assert!(whole.starts_with(&prefix_of::<(String, String, u64)>(&a)));
            prop_assert!(whole.starts_with(&prefix_of::<(String, String, u64)>(a.as_str())));
            prop_assert!(whole.starts_with(&prefix_of::<(String, String, u64)>(&(a.clone(), b.clone()))));
            prop_assert_eq!(whole.starts_with(&prefix_of::<(String, String, u64)>(&c)), a == c);
            let pair = encoded(&(n, b.clone()));
            prop_assert_eq!(pair.starts_with(&prefix_of::<(u64, String)>(&(n, Starting(&c)))), b.starts_with(&c));
            prop_assert_eq!(encoded(&b).starts_with(&prefix_of::<String>(&Starting(&c))), b.starts_with(&c));
        }

        #[test]
        fn nothing_lies_between_a_prefix_and_what_follows_it(prefix in proptest::collection::vec(250u8.., 0..4), key in proptest::collection::vec(250u8.., 0..6)) {
            let below = after_prefix(&prefix).is_none_or(|next| key < next);
            prop_assert_eq!(key >= prefix && below, key.starts_with(&prefix));
        }
    }

    #[test]
    fn what_is_no_encoding_is_refused() {
        assert_eq!(decode_whole::<u64>(&[0; 7]), Err(KeyError::Short));
        assert_eq!(decode_whole::<u64>(&[0; 9]), Err(KeyError::Trailing));
        assert_eq!(decode_whole::<bool>(&[2]), Err(KeyError::Malformed));
        assert_eq!(decode_whole::<String>(b"open"), Err(KeyError::Short));
        assert_eq!(decode_whole::<String>(&[0x01, 0x03, 0x00]), Err(KeyError::Malformed));
        assert_eq!(decode_whole::<String>(&[0xFF, 0x00]), Err(KeyError::Malformed));
        assert_eq!(decode_whole::<String>(b"two\0"), Ok("two".to_owned()));
    }

    #[test]
    fn borrowed_keys_are_written_as_owned_ones() {
        let mut borrowed = Vec::new();
        ToKey::<(String, String)>::encode_key(&("a\0", "b"), &mut borrowed);
        assert_eq!(borrowed, encoded(&("a\0".to_owned(), "b".to_owned())));
    }
}
