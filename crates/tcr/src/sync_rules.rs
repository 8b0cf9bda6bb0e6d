//! Rules of synchronisation: what is pushed to one instance is copied to another (`tcr.md` §5.2).
//!
//! The two may be in different regions, and in different accounts where a token of the other instance proves that its account agrees.

use rookery_api::tcr::{ErrorCode, PolicyFilter, ReplicationFilter, ReplicationPolicyInfo};
use rookery_registry::ManifestPush;
use rookery_seal::Sealed;
use rookery_store::{Read, Regional, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Rule};
use crate::instances::Instance;
use crate::moments::Moment;
use crate::names;
use crate::patterns::{PATTERN, Pattern};

/// The config of an OCI chart.
const CHART: &str = "application/vnd.cncf.helm.config.v1+json";

const NAME: Rule = Rule {
    english: "must have 2 to 100 lower-case letters, digits and single separators (. _ -) between them",
    chinese: "长度须为2-100个字符，只能包含小写字母、数字及分隔符（. _ -），分隔符不能位于首尾或连续出现",
};
const FILTER: Rule =
    Rule { english: "must be `name`, `tag` or `resource`", chinese: "取值须为name、tag或resource" };
const RESOURCE: Rule =
    Rule { english: "must be `image`, `chart` or empty", chinese: "取值须为image、chart或空" };

/// The rules of a source instance, by number.
pub(crate) struct SyncRules;

/// What is kept of a rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SyncRow {
    pub(crate) name: String,
    pub(crate) description: String,
    /// The id of the destination.
    pub(crate) destination: String,
    /// The region of the destination, which never changes.
    pub(crate) region: String,
    /// Empty for that of the source.
    pub(crate) namespace: String,
    pub(crate) replaces: bool,
    pub(crate) deletes: bool,
    pub(crate) enabled: bool,
    pub(crate) filters: Vec<(FilterKind, String)>,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    /// For a destination of another account.
    pub(crate) peer: Option<Peer>,
}

/// What opens an instance of another account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Peer {
    pub(crate) uin: String,
    /// A login token.
    pub(crate) token: Sealed,
}

/// What a filter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FilterKind {
    Name,
    Tag,
    Resource,
}

impl FilterKind {
    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Tag => "tag",
            Self::Resource => "resource",
        }
    }
}

impl Table for SyncRules {
    const NAME: &'static str = "tcr.sync-rules";
    type Scope = Regional;
    type Key = (String, i64);
    type Row = SyncRow;
}

fn invalid(parameter: &'static str, rule: Rule) -> Error {
    Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter }
}

/// The place that a sealed token is bound to.
pub(crate) fn context(source: &str) -> String {
    format!("tcr/sync-peer/{source}")
}

pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let good = (2..=100).contains(&name.len()) && names::is_component(name);
    if good { Ok(()) } else { Err(invalid("Rule.Name", NAME)) }
}

/// Empty, or the name of a namespace.
pub(crate) fn check_namespace(namespace: &str) -> Result<(), Error> {
    let good = namespace.is_empty() || names::namespace(namespace);
    if good { Ok(()) } else { Err(invalid("Rule.DestNamespace", names::NAMESPACE)) }
}

/// The filters of a request; an empty value means everything.
pub(crate) fn read_filters(filters: &[ReplicationFilter]) -> Result<Vec<(FilterKind, String)>, Error> {
    let mut read = Vec::new();
    for filter in filters {
        let value = filter.value.clone().unwrap_or_default();
        let kinds = [FilterKind::Name, FilterKind::Tag, FilterKind::Resource];
        let kind = kinds.into_iter().find(|kind| kind.name() == filter.r#type);
        let kind = kind.ok_or_else(|| invalid("Rule.Filters.Type", FILTER))?;
        if kind == FilterKind::Resource && !matches!(value.as_str(), "" | "image" | "chart") {
            return Err(invalid("Rule.Filters.Value", RESOURCE));
        }
        if Pattern::parse(&value).is_none() {
            return Err(invalid("Rule.Filters.Value", PATTERN));
        }
        read.push((kind, value));
    }
    Ok(read)
}

/// `image` or `chart`.
pub(crate) fn resource_of(push: &ManifestPush) -> &'static str {
    if push.config_media_type.as_deref() == Some(CHART) { "chart" } else { "image" }
}

impl SyncRow {
    /// Whether the rule means a tag of a repository; `resource` is unknown of what goes.
    pub(crate) fn means(&self, repository: &str, tag: &str, resource: Option<&str>) -> bool {
        let matches =
            |pattern: &str, text: &str| Pattern::parse(pattern).is_some_and(|pattern| pattern.matches(text));
        self.enabled
            && self.filters.iter().all(|(kind, value)| match kind {
                FilterKind::Name => matches(value, repository),
                FilterKind::Tag => matches(value, tag),
                FilterKind::Resource => value.is_empty() || resource.is_none_or(|resource| resource == value),
            })
    }

    /// Where a repository of the source goes.
    pub(crate) fn target_name(&self, repository: &str) -> String {
        match repository.split_once('/') {
            Some((_, rest)) if !self.namespace.is_empty() => format!("{}/{rest}", self.namespace),
            _ => repository.to_owned(),
        }
    }

    /// The rule as replies show it.
    pub(crate) fn describe(&self, source: &Instance, id: i64) -> ReplicationPolicyInfo {
        let filters = self.filters.iter().map(|(kind, value)| PolicyFilter {
            r#type: Some(kind.name().to_owned()),
            value: Some(value.clone()),
        });
        let what = self.filters.iter().find(|(kind, _)| *kind == FilterKind::Name);
        let what = what.map_or("**", |(_, value)| value);
        ReplicationPolicyInfo {
            id: Some(id),
            name: Some(self.name.clone()),
            description: Some(self.description.clone()),
            filters: Some(filters.collect()),
            r#override: Some(self.replaces),
            enabled: Some(self.enabled),
            src_resource: Some(format!("{}/{what} {}", source.id, source.scope.region)),
            dest_resource: Some(format!("{}/{} {}", self.destination, self.target_name(what), self.region)),
            creation_time: Some(self.created_at.utc_with_fraction()),
            update_time: Some(self.updated_at.utc_with_fraction()),
        }
    }
}

/// The rules of an instance, the oldest first.
pub(crate) fn list(read: &impl Read, source: &Instance) -> Result<Vec<(i64, SyncRow)>, StoreError> {
    let rows = read.scan::<SyncRules>(&source.scope, Scan::all().prefix(source.id.as_str()))?;
    Ok(rows.into_iter().map(|((_, id), row)| (id, row)).collect())
}

/// The rule of that name.
pub(crate) fn existing(read: &impl Read, source: &Instance, name: &str) -> Result<(i64, SyncRow), Error> {
    let found = list(read, source)?.into_iter().find(|(_, row)| row.name == name);
    found.ok_or_else(|| Error::NoSyncRule(name.to_owned()))
}
