//! Immutable tags: a rule of a namespace says which tags of which repositories keep what they name (`tcr.md` §1.11).
//!
//! The first push of a tag is let in, as is a repeated push of the same image; another image, or the deletion of the tag or of its
//! image, is not. Tags that hold what is attached to an image (signatures, attestations) are exempt, and so is the deletion of a whole
//! repository, namespace or instance.

use http::StatusCode;
use rookery_api::tcr::{ErrorCode, ImmutableTagRule};
use rookery_registry::{Refusal, Repository};
use rookery_signing::attached::is_attached_tag;
use rookery_store::{Read, Regional, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Rule};
use crate::instances::Instance;
use crate::patterns::{PATTERN, Pattern};

const REPOSITORIES: Rule = Rule {
    english: "must be `repoMatches` or `repoExcludes`",
    chinese: "取值须为repoMatches或repoExcludes",
};
const TAGS: Rule =
    Rule { english: "must be `matches` or `excludes`", chinese: "取值须为matches或excludes" };

/// The rule of each namespace that has one, by instance and namespace.
pub(crate) struct ImmutableRules;

/// What is kept of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImmutableRow {
    pub(crate) id: i64,
    pub(crate) selector: Selector,
    pub(crate) disabled: bool,
}

impl Table for ImmutableRules {
    const NAME: &'static str = "tcr.immutable-rules";
    type Scope = Regional;
    type Key = (String, String);
    type Row = ImmutableRow;
}

/// Which tags of which repositories of a namespace a rule means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selector {
    pub(crate) repositories: String,
    /// `repoExcludes`: all but those.
    pub(crate) not_repositories: bool,
    pub(crate) tags: String,
    /// `excludes`: all but those.
    pub(crate) not_tags: bool,
}

impl Selector {
    /// Reads decorations and patterns; `names` are those of the request's members, in the order of the arguments.
    pub(crate) fn read(
        names: [&'static str; 4],
        [of_repository, repositories, of_tag, tags]: [&str; 4],
        code: ErrorCode,
    ) -> Result<Self, Error> {
        let invalid = |parameter, rule| Error::Invalid { parameter, rule, code };
        let [of_repository_name, repositories_name, of_tag_name, tags_name] = names;
        let not_repositories = match of_repository {
            "repoMatches" => false,
            "repoExcludes" => true,
            _ => return Err(invalid(of_repository_name, REPOSITORIES)),
        };
        let not_tags = match of_tag {
            "matches" => false,
            "excludes" => true,
            _ => return Err(invalid(of_tag_name, TAGS)),
        };
        for (name, pattern) in [(repositories_name, repositories), (tags_name, tags)] {
            if Pattern::parse(pattern).is_none() {
                return Err(invalid(name, PATTERN));
            }
        }
        Ok(Self { repositories: repositories.to_owned(), not_repositories, tags: tags.to_owned(), not_tags })
    }

    /// `RepositoryDecoration`.
    pub(crate) fn of_repository(&self) -> &'static str {
        if self.not_repositories { "repoExcludes" } else { "repoMatches" }
    }

    /// `TagDecoration`.
    pub(crate) fn of_tag(&self) -> &'static str {
        if self.not_tags { "excludes" } else { "matches" }
    }

    /// Whether it means the repository, named without its namespace.
    pub(crate) fn means_repository(&self, name: &str) -> bool {
        matches(&self.repositories, name) != self.not_repositories
    }

    /// Whether it means the tag, in a repository that it means.
    pub(crate) fn means_tag(&self, tag: &str) -> bool {
        matches(&self.tags, tag) != self.not_tags
    }
}

/// A pattern that cannot be read was never let in.
fn matches(pattern: &str, text: &str) -> bool {
    Pattern::parse(pattern).is_some_and(|pattern| pattern.matches(text))
}

impl ImmutableRow {
    /// Reads a rule of a request.
    pub(crate) fn read(id: i64, rule: &ImmutableTagRule) -> Result<Self, Error> {
        let names =
            ["Rule.RepositoryDecoration", "Rule.RepositoryPattern", "Rule.TagDecoration", "Rule.TagPattern"];
        let texts = [
            rule.repository_decoration.as_str(),
            &rule.repository_pattern,
            &rule.tag_decoration,
            &rule.tag_pattern,
        ];
        let selector = Selector::read(names, texts, ErrorCode::InvalidParameterErrorTcrInvalidParameter)?;
        Ok(Self { id, selector, disabled: rule.disabled.unwrap_or(false) })
    }

    /// The rule as replies show it.
    pub(crate) fn describe(&self, namespace: String) -> ImmutableTagRule {
        ImmutableTagRule {
            repository_pattern: self.selector.repositories.clone(),
            tag_pattern: self.selector.tags.clone(),
            repository_decoration: self.selector.of_repository().to_owned(),
            tag_decoration: self.selector.of_tag().to_owned(),
            disabled: Some(self.disabled),
            rule_id: Some(self.id),
            ns_name: Some(namespace),
        }
    }
}

/// The rules of an instance with their namespaces, in the order of the names.
pub(crate) fn list(read: &impl Read, instance: &Instance) -> Result<Vec<(String, ImmutableRow)>, StoreError> {
    let rows = read.scan::<ImmutableRules>(&instance.scope, Scan::all().prefix(instance.id.as_str()))?;
    Ok(rows.into_iter().map(|((_, namespace), row)| (namespace, row)).collect())
}

/// The rule of a namespace with that number.
pub(crate) fn existing(
    read: &impl Read,
    instance: &Instance,
    namespace: &str,
    id: i64,
    code: ErrorCode,
) -> Result<ImmutableRow, Error> {
    read.get::<ImmutableRules>(&instance.scope, &(instance.id.as_str(), namespace))?
        .filter(|row| row.id == id)
        .ok_or(Error::NoRule { id, code })
}

/// Whether the tag keeps what it names.
pub(crate) fn is_immutable(
    read: &impl Read,
    instance: &Instance,
    repository: &Repository,
    tag: &str,
) -> Result<bool, StoreError> {
    if is_attached_tag(tag) {
        return Ok(false);
    }
    let Some((namespace, name)) = repository.name().split_once('/') else { return Ok(false) };
    let row = read.get::<ImmutableRules>(&instance.scope, &(instance.id.as_str(), namespace))?;
    Ok(row.is_some_and(|row| {
        !row.disabled && row.selector.means_repository(name) && row.selector.means_tag(tag)
    }))
}

/// The refusal that a client of the registry sees; its words are those of the platform's ancestor.
pub(crate) fn refusal(repository: &Repository, tag: &str) -> Refusal {
    let message =
        format!("Failed to process request due to '{}:{tag}' configured as immutable.", repository.name());
    Refusal::new(StatusCode::PRECONDITION_FAILED, "PRECONDITION", message)
}
