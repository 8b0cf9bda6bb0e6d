//! Encryption contexts: what is not secret, but must be the same when a text is decrypted as it was when it was encrypted.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::error::Error;

/// The longest context, in characters.
pub(crate) const CONTEXT_LIMIT: usize = 1024;

/// A context in one form, whichever way the request spelt it: the order of the pairs and the spaces between them have no meaning. No
/// context, an empty text and an object without pairs are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context(Vec<u8>);

impl Context {
    /// Reads a context: a JSON object whose values are texts, no key twice.
    pub(crate) fn read(text: Option<&str>) -> Result<Self, Error> {
        let text = text.unwrap_or_default();
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.chars().count() > CONTEXT_LIMIT {
            return Err(Error::EncryptionContext);
        }
        let Pairs(pairs) = serde_json::from_str(text).map_err(|_| Error::EncryptionContext)?;
        let mut bytes = Vec::new();
        for part in pairs.into_iter().flat_map(|(key, value)| [key, value]) {
            // The length before each text, so that no two contexts have one form.
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Ok(Self(bytes))
    }

    /// The form that is authenticated.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

struct Pairs(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Unrepeated)
    }
}

/// Reads an object and refuses keys that are repeated, which serde would silently merge.
struct Unrepeated;

impl<'de> Visitor<'de> for Unrepeated {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if pairs.insert(key, value).is_some() {
                return Err(de::Error::custom("a key is repeated"));
            }
        }
        Ok(Pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Context {
        Context::read(Some(text)).unwrap()
    }

    #[test]
    fn order_and_spaces_mean_nothing_and_everything_else_does() {
        assert_eq!(read(r#"{"a":"1","b":"2"}"#), read(r#" { "b" : "2", "\u0061":"1" } "#));
        assert_eq!(read("{}"), Context::read(None).unwrap());
        assert_eq!(read(""), Context::default());
        for other in
            [r#"{"a":"1"}"#, r#"{"a":"1","b":"3"}"#, r#"{"a":"12","b":""}"#, r#"{"a1":"","b":"2"}"#, "{}"]
        {
            assert_ne!(read(r#"{"a":"1","b":"2"}"#), read(other), "{other}");
        }
    }

    #[test]
    fn only_objects_of_texts_are_contexts() {
        let long = format!(r#"{{"k":"{}"}}"#, "x".repeat(1017));
        for bad in [
            "x",
            "[]",
            "null",
            r#"{"a":1}"#,
            r#"{"a":null}"#,
            r#"{"a":"1","a":"1"}"#,
            r#"{"a":"1"} x"#,
            &long,
        ] {
            assert!(matches!(Context::read(Some(bad)), Err(Error::EncryptionContext)), "{bad}");
        }
        // Counted in characters, not in bytes.
        assert!(Context::read(Some(&format!(r#"{{"k":"{}"}}"#, "密".repeat(1016)))).is_ok());
    }

    proptest! {
        #[test]
        fn two_contexts_are_one_only_if_their_pairs_are(
            one in proptest::collection::btree_map("[ab]{0,2}", "[ab]{0,2}", 0..3),
            two in proptest::collection::btree_map("[ab]{0,2}", "[ab]{0,2}", 0..3),
        ) {
            let text = |pairs: &BTreeMap<String, String>| serde_json::to_string(pairs).unwrap();
            prop_assert_eq!(read(&text(&one)) == read(&text(&two)), one == two);
        }

        #[test]
        fn no_text_breaks_the_reader(text: String) {
            let _ = Context::read(Some(&text));
        }
    }
}
