//! Cloud tags: the keys and values that customers hang on instances and namespaces, and the filters over them.

use rookery_api::tcr::{ErrorCode, Filter, Tag, TagSpecification};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Rule};

/// How many tags one resource may have.
const LIMIT: usize = 10;

const RESOURCE_TYPE: Rule =
    Rule { english: "names another kind of resource", chinese: "与资源类型不一致" };
const DISTINCT: Rule =
    Rule { english: "must have distinct, non-empty keys", chinese: "的标签键不能为空或重复" };
const FILTER: Rule = Rule { english: "names an unknown filter", chinese: "包含未知的过滤条件" };

/// What tags hang on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tagged {
    /// An instance.
    Instance,
    /// A namespace.
    Namespace,
}

impl Tagged {
    fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Namespace => "namespace",
        }
    }

    /// The code for too many tags: only the actions of instances document one of their own.
    fn over_limit(self) -> ErrorCode {
        match self {
            Self::Instance => ErrorCode::InvalidParameterErrorTagOverLimit,
            Self::Namespace => ErrorCode::InvalidParameter,
        }
    }
}

/// The tags of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CloudTags(Vec<(String, String)>);

impl CloudTags {
    /// The tags of a request, for a resource of the given kind.
    pub(crate) fn from_request(
        specification: Option<TagSpecification>,
        tagged: Tagged,
    ) -> Result<Self, Error> {
        let Some(specification) = specification else { return Ok(Self::default()) };
        let invalid =
            |rule| Error::Invalid { parameter: "TagSpecification", rule, code: ErrorCode::InvalidParameter };
        if !matches!(specification.resource_type.as_str(), "" | "instance")
            && specification.resource_type != tagged.name()
        {
            return Err(invalid(RESOURCE_TYPE));
        }
        if specification.tags.len() > LIMIT {
            return Err(Error::TooManyTags { limit: LIMIT, code: tagged.over_limit() });
        }
        let mut tags = Vec::with_capacity(specification.tags.len());
        for Tag { key, value } in specification.tags {
            if key.is_empty() || tags.iter().any(|(other, _)| *other == key) {
                return Err(invalid(DISTINCT));
            }
            tags.push((key, value));
        }
        Ok(Self(tags))
    }

    /// The tags as replies show them: never null, empty where there are none.
    pub(crate) fn specification(&self, tagged: Tagged) -> TagSpecification {
        let tags = self.0.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect();
        TagSpecification { resource_type: tagged.name().to_owned(), tags }
    }

    /// The tags by their keys, for the tag service.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = self.0.clone();
        pairs.sort();
        pairs
    }

    /// The tags that the tag service sets.
    pub(crate) fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Whether one of the tags is `key:value`, as the filter `Tags` writes them.
    fn matches(&self, wanted: &str) -> bool {
        self.0.iter().any(|(key, value)| {
            wanted.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix(':')) == Some(value)
        })
    }
}

/// The filters of a listing: every filter must match, by any of its values.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    names: Vec<Vec<String>>,
    tags: Vec<Vec<String>>,
}

impl Filters {
    /// The filters of a request. `RegistryName` is known where `by_name` says so, `Tags` everywhere.
    pub(crate) fn from_request(filters: Option<Vec<Filter>>, by_name: bool) -> Result<Self, Error> {
        let mut known = Self::default();
        for Filter { name, values } in filters.unwrap_or_default() {
            match name.as_str() {
                "RegistryName" if by_name => known.names.push(values),
                "Tags" => known.tags.push(values),
                _ => {
                    let code = ErrorCode::InvalidParameter;
                    return Err(Error::Invalid { parameter: "Filters", rule: FILTER, code });
                }
            }
        }
        Ok(known)
    }

    /// Whether everything passes.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.tags.is_empty()
    }

    /// Whether a resource with this name and these tags passes.
    pub(crate) fn pass(&self, name: &str, tags: &CloudTags) -> bool {
        self.names.iter().all(|values| values.iter().any(|value| value == name))
            && self.tags.iter().all(|values| values.iter().any(|value| tags.matches(value)))
    }
}

#[cfg(test)]
mod tests {
    use rookery_gateway::Refusal as _;

    use super::*;

    fn parse(resource_type: &str, keys: &[&str], tagged: Tagged) -> Result<CloudTags, Error> {
        let tags = keys.iter().map(|key| Tag { key: (*key).to_owned(), value: "v:1".to_owned() }).collect();
        let specification = TagSpecification { resource_type: resource_type.to_owned(), tags };
        CloudTags::from_request(Some(specification), tagged)
    }

    fn filter(name: &str, values: &[&str]) -> Filter {
        Filter { name: name.to_owned(), values: values.iter().map(|&value| value.to_owned()).collect() }
    }

    #[test]
    fn tags_read_back_and_are_never_null() {
        let shown = parse("instance", &["a", "b"], Tagged::Instance).unwrap().specification(Tagged::Instance);
        assert_eq!(
            shown.tags.iter().map(|tag| (&*tag.key, &*tag.value)).collect::<Vec<_>>(),
            [("a", "v:1"), ("b", "v:1")]
        );
        let none = CloudTags::from_request(None, Tagged::Namespace).unwrap().specification(Tagged::Namespace);
        assert!(none.tags.is_empty() && none.resource_type == "namespace");
    }

    #[test]
    fn too_many_repeated_or_misplaced_tags_are_refused() {
        let keys: Vec<String> = (0..11).map(|n| format!("k{n}")).collect();
        let many: Vec<&str> = keys.iter().map(String::as_str).collect();
        assert!(parse("instance", &many[..10], Tagged::Instance).is_ok());
        let cases = [
            ("instance", &*many, Tagged::Instance, ErrorCode::InvalidParameterErrorTagOverLimit),
            ("namespace", &*many, Tagged::Namespace, ErrorCode::InvalidParameter),
            ("instance", &["a", "a"], Tagged::Instance, ErrorCode::InvalidParameter),
            ("instance", &[""], Tagged::Instance, ErrorCode::InvalidParameter),
            ("bucket", &["a"], Tagged::Instance, ErrorCode::InvalidParameter),
        ];
        for (resource_type, keys, tagged, expected) in cases {
            assert_eq!(parse(resource_type, keys, tagged).unwrap_err().code(), expected, "{keys:?}");
        }
    }

    #[test]
    fn filters_are_and_over_names_or_over_values() {
        let tags = parse("", &["env"], Tagged::Instance).unwrap();
        let pass = |filters| Filters::from_request(Some(filters), true).unwrap().pass("demo1", &tags);
        assert!(pass(vec![]));
        assert!(pass(vec![filter("RegistryName", &["other", "demo1"]), filter("Tags", &["env:v:1"])]));
        assert!(!pass(vec![filter("RegistryName", &["demo"])]));
        assert!(!pass(vec![filter("RegistryName", &["demo1"]), filter("Tags", &["env:v"])]));
        for (name, by_name) in [("Zone", true), ("RegistryName", false)] {
            let refused = Filters::from_request(Some(vec![filter(name, &[])]), by_name).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::InvalidParameter);
        }
    }
}
