//! What keys and values of tags may be.

use crate::error::Error;
use crate::holder::Tag;

/// The most characters of a key.
const KEY: usize = 127;
/// The most characters of a value.
const VALUE: usize = 255;
/// The most tags or keys of one request.
pub(crate) const OF_REQUEST: usize = 10;
/// The most keys of a listing.
const KEYS_OF_LISTING: usize = 20;

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

/// The keys of a listing: one at least, and no more than a request may have.
pub(crate) fn some_keys(keys: &[String]) -> Result<(), Error> {
    if !(1..=KEYS_OF_LISTING).contains(&keys.len()) {
        return Err(Error::Parameter { parameter: "TagKeys", rule: "must have 1 to 20 keys" });
    }
    if keys.iter().any(String::is_empty) { Err(Error::KeyEmpty) } else { Ok(()) }
}

/// Tags as a request gives them, which nobody but the platform gives of its own kind.
pub(crate) fn given(tags: Vec<rookery_api::tag::Tag>) -> Result<Vec<Tag>, Error> {
    if tags.iter().any(|tag| !matches!(tag.category.as_deref(), None | Some("" | "Custom"))) {
        return Err(Error::Parameter { parameter: "Category", rule: "must be Custom" });
    }
    Ok(tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect())
}

/// Who made a tag is not kept apart: the creator is the account.
pub(crate) fn creator(account: u64, asked: Option<u64>) -> Result<(), Error> {
    match asked {
        None | Some(0) => Ok(()),
        Some(uin) if uin == account => Ok(()),
        Some(uin) => Err(Error::Creator { uin }),
    }
}

/// Projects are no tags here, whatever `ShowProject` says, as for every account that did not ask the platform for it.
pub(crate) fn show_project(asked: Option<u64>) -> Result<(), Error> {
    if asked.is_some_and(|shown| shown > 1) {
        return Err(Error::Failed { what: "`ShowProject` must be 0 or 1".to_owned() });
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
