//! The pairs of key and value as `DescribeTags` and `DescribeTagsSeq` list them: in the order of keys and values, the one as the other.

use rookery_api::tag::TagWithDelete;

use crate::error::Error;
use crate::{Tags, rules, shown};

/// Which pairs are asked for.
pub(crate) struct Asked {
    /// `TagKey`.
    pub(crate) key: Option<String>,
    /// `TagValue`, which stands beside a key.
    pub(crate) value: Option<String>,
    /// `TagKeys`, which stand in the place of `TagKey`.
    pub(crate) keys: Option<Vec<String>>,
    /// `CreateUin`.
    pub(crate) creator: Option<u64>,
    /// `ShowProject`.
    pub(crate) show_project: Option<u64>,
}

/// The pairs, each with whether it can be deleted, which it can while it hangs nowhere.
pub(crate) fn pairs(tags: &Tags, account: u64, asked: Asked) -> Result<Vec<TagWithDelete>, Error> {
    rules::creator(account, asked.creator)?;
    rules::show_project(asked.show_project)?;
    let key = asked.key.filter(|key| !key.is_empty());
    let keys = asked.keys.filter(|keys| !keys.is_empty());
    let keys = keys.unwrap_or_else(|| key.into_iter().collect());
    let value = asked.value.filter(|value| !value.is_empty());
    if value.is_some() && keys.is_empty() {
        return Err(Error::Parameter { parameter: "TagValue", rule: "needs a TagKey" });
    }
    if !keys.is_empty() {
        rules::some_keys(&keys)?;
    }
    let pairs = tags.pairs(account)?.into_iter().filter(|((key, own), _)| {
        (keys.is_empty() || keys.contains(key)) && value.as_ref().is_none_or(|value| value == own)
    });
    let shown = pairs.map(|((tag_key, tag_value), hangs)| TagWithDelete {
        tag_key,
        tag_value,
        can_delete: u64::from(!hangs),
        category: shown::CUSTOM.to_owned(),
    });
    Ok(shown.collect())
}
