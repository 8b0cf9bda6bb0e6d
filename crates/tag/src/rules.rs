//! What keys and values of tags may be.

use crate::error::Error;
use crate::holder::Tag;

/// The most characters of a key.
const KEY: usize = 127;
/// The most characters of a value.
const VALUE: usize = 255;
/// The most tags or keys of one request.
pub(crate) const OF_REQUEST: usize = 10;

fn is_usable(text: &str) -> bool {
    let usable = |c: char| c.is_alphanumeric() || " +-=._:/@()[]（）【】".contains(c);
    text.chars().all(usable) && text.trim() == text
}

/// Whether a tag may have the key. Keys of the platform itself are reserved.
pub(crate) fn key(key: &str) -> Result<(), Error> {
    if key.is_empty() {
        return Err(Error::KeyEmpty);
    }
    if key.chars().count() > KEY {
        return Err(Error::KeyTooLong { limit: KEY });
    }
    if !is_usable(key) {
        return Err(Error::KeyIllegal { key: key.to_owned() });
    }
    let small = key.to_lowercase();
    if small.starts_with("qcs:")
        || small.starts_with("tencent")
        || small == "project"
        || key.starts_with("项目")
    {
        return Err(Error::KeyReserved { key: key.to_owned() });
    }
    Ok(())
}

/// Whether a tag may have the value.
pub(crate) fn value(value: &str) -> Result<(), Error> {
    if value.chars().count() > VALUE {
        return Err(Error::ValueTooLong { limit: VALUE });
    }
    if is_usable(value) { Ok(()) } else { Err(Error::ValueIllegal { value: value.to_owned() }) }
}

/// Tags of a request: of distinct keys.
pub(crate) fn tags(tags: &[Tag]) -> Result<(), Error> {
    for (at, (tag_key, tag_value)) in tags.iter().enumerate() {
        key(tag_key)?;
        value(tag_value)?;
        if tags.iter().take(at).any(|(other, _)| other == tag_key) {
            return Err(Error::Repeated { key: tag_key.clone() });
        }
    }
    Ok(())
}

/// Whether a `Category` is one; every tag here is the account's own.
pub(crate) fn shows_custom(category: Option<&str>) -> Result<bool, Error> {
    match category {
        None | Some("" | "All" | "Custom") => Ok(true),
        Some("System") => Ok(false),
        Some(_) => Err(Error::Parameter { parameter: "Category", rule: "must be Custom, System or All" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_have_their_characters() {
        for good in ["env", "成本 中心", "a.b:c/d", "k (1)"] {
            assert!(key(good).is_ok() && value(good).is_ok(), "{good}");
        }
        assert!(value("").is_ok());
        assert!(matches!(key(""), Err(Error::KeyEmpty)));
        assert!(matches!(key(&"k".repeat(128)), Err(Error::KeyTooLong { .. })));
        assert!(matches!(value(&"v".repeat(256)), Err(Error::ValueTooLong { .. })));
        assert!(matches!(key("a\nb"), Err(Error::KeyIllegal { .. })));
        assert!(matches!(value("a|b"), Err(Error::ValueIllegal { .. })));
        for reserved in ["qcs:x", "Tencent-1", "project"] {
            assert!(matches!(key(reserved), Err(Error::KeyReserved { .. })), "{reserved}");
        }
        let tag = |key: &str| (key.to_owned(), String::new());
        assert!(matches!(tags(&[tag("a"), tag("a")]), Err(Error::Repeated { .. })));
    }
}
