//! The contract file of one product version, as it lies in `models/`: actions, structures, error codes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Everything the project takes over from the official packages about one product version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// Service name, the first label of its host: `tcr`.
    pub(crate) product: String,
    /// API version as sent in `X-TC-Version`: `2019-09-24`.
    pub(crate) version: String,
    /// Actions by name.
    pub(crate) actions: BTreeMap<String, Action>,
    /// Structures by name; the members keep the order of the source.
    pub(crate) structures: BTreeMap<String, Vec<Member>>,
    /// Error codes that the product documents.
    pub(crate) errors: BTreeSet<String>,
}

/// One action: the structures of its request and its reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    /// Structure of the request.
    pub(crate) input: String,
    /// Structure of the reply, without `RequestId`.
    pub(crate) output: String,
    /// Absent while the action is online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    /// The action is called with `Authorization: SKIP`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) unsigned: bool,
}

/// Why an action is not online.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Still answers, not to be used by new code.
    Deprecated,
    /// No longer answers.
    Offline,
}

/// One member of a structure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    /// Name on the wire.
    pub(crate) name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    /// A request without it is refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) required: bool,
    /// May be `null` in a reply.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) nullable: bool,
    /// Present in every reply.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) always: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The type of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Kind {
    /// A scalar.
    Scalar(Scalar),
    /// The structure of that name.
    Structure(String),
    /// A list of one of the other two; the platform has no lists of lists.
    List(Element),
}

/// What a list holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Element {
    /// A scalar.
    Scalar(Scalar),
    /// The structure of that name.
    Structure(String),
}

/// The scalar words of the platform's models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    String,
    Int64,
    Uint64,
    Float,
    Double,
    Bool,
    Binary,
    Date,
    Datetime,
    DatetimeIso,
}

impl Scalar {
    const ALL: [Self; 10] = [
        Self::String,
        Self::Int64,
        Self::Uint64,
        Self::Float,
        Self::Double,
        Self::Bool,
        Self::Binary,
        Self::Date,
        Self::Datetime,
        Self::DatetimeIso,
    ];

    /// The word in the model.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bool => "bool",
            Self::Binary => "binary",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::DatetimeIso => "datetime_iso",
        }
    }
}

/// A word that names neither a scalar nor a structure.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown type word {0:?}")]
pub(crate) struct UnknownType(pub(crate) String);

impl FromStr for Element {
    type Err = UnknownType;

    fn from_str(word: &str) -> Result<Self, UnknownType> {
        if let Some(scalar) = Scalar::ALL.into_iter().find(|scalar| scalar.word() == word) {
            return Ok(Self::Scalar(scalar));
        }
        let structure = word.starts_with(|first: char| first.is_ascii_uppercase())
            && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if structure { Ok(Self::Structure(word.to_owned())) } else { Err(UnknownType(word.to_owned())) }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => out.write_str(scalar.word()),
            Self::Structure(name) => out.write_str(name),
        }
    }
}

impl From<Element> for Kind {
    fn from(element: Element) -> Self {
        match element {
            Element::Scalar(scalar) => Self::Scalar(scalar),
            Element::Structure(name) => Self::Structure(name),
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = UnknownType;

    fn try_from(word: String) -> Result<Self, UnknownType> {
        match word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(element) => element.parse().map(Self::List),
            None => word.parse::<Element>().map(Self::from),
        }
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Scalar(scalar) => scalar.word().to_owned(),
            Kind::Structure(name) => name,
            Kind::List(element) => format!("[{element}]"),
        }
    }
}

impl Kind {
    /// The structure that the type mentions, if it mentions one.
    fn structure(&self) -> Option<&str> {
        match self {
            Self::Structure(name) | Self::List(Element::Structure(name)) => Some(name),
            Self::Scalar(_) | Self::List(Element::Scalar(_)) => None,
        }
    }
}

/// What makes a model inconsistent in itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Inconsistency {
    /// An action's `input` or `output` is not among the structures.
    #[error("action {action}: its {role} structure {structure} does not exist")]
    MissingStructure { action: String, role: &'static str, structure: String },
    /// A member's type is not among the structures.
    #[error("{structure}.{member}: its type {kind} does not exist")]
    DanglingReference { structure: String, member: String, kind: String },
    /// Two members of a structure share a name.
    #[error("{structure}.{member} is declared twice")]
    DuplicateMember { structure: String, member: String },
}

impl Model {
    /// Checks that every structure that is mentioned exists and that no member is declared twice.
    pub(crate) fn check(&self) -> Result<(), Inconsistency> {
        for (name, action) in &self.actions {
            for (role, structure) in [("input", &action.input), ("output", &action.output)] {
                if !self.structures.contains_key(structure) {
                    return Err(Inconsistency::MissingStructure {
                        action: name.clone(),
                        role,
                        structure: structure.clone(),
                    });
                }
            }
        }
        for (name, members) in &self.structures {
            let mut seen = BTreeSet::new();
            for member in members {
                if !seen.insert(&member.name) {
                    return Err(Inconsistency::DuplicateMember {
                        structure: name.clone(),
                        member: member.name.clone(),
                    });
                }
                if let Some(kind) =
                    member.kind.structure().filter(|kind| !self.structures.contains_key(*kind))
                {
                    return Err(Inconsistency::DanglingReference {
                        structure: name.clone(),
                        member: member.name.clone(),
                        kind: kind.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// The file's text: one action, one member and one error code a line, so that a new release of the
    /// packages shows as a readable difference.
    pub(crate) fn render(&self) -> Result<String, serde_json::Error> {
        let actions = self.actions.iter().map(|(name, action)| entry(name, &serde_json::to_string(action)?));
        let structures = self.structures.iter().map(|(name, members)| {
            let members = members.iter().map(serde_json::to_string);
            entry(name, &block('[', members, ']', 2)?)
        });
        let errors = self.errors.iter().map(serde_json::to_string);
        let fields = [
            entry("product", &serde_json::to_string(&self.product)?),
            entry("version", &serde_json::to_string(&self.version)?),
            entry("actions", &block('{', actions, '}', 1)?),
            entry("structures", &block('{', structures, '}', 1)?),
            entry("errors", &block('[', errors, ']', 1)?),
        ];
        let mut text = block('{', fields.into_iter(), '}', 0)?;
        text.push('\n');
        Ok(text)
    }
}

/// `"name": value`.
fn entry(name: &str, value: &str) -> Result<String, serde_json::Error> {
    Ok(format!("{}: {value}", serde_json::to_string(name)?))
}

/// The items between brackets, each on its own line, one space of indent a level; `[]` when there are none.
fn block(
    open: char,
    items: impl Iterator<Item = Result<String, serde_json::Error>>,
    close: char,
    level: usize,
) -> Result<String, serde_json::Error> {
    let items = items.collect::<Result<Vec<_>, _>>()?;
    if items.is_empty() {
        return Ok(format!("{open}{close}"));
    }
    let (outer, inner) = (" ".repeat(level), " ".repeat(level + 1));
    Ok(format!("{open}\n{inner}{}\n{outer}{close}", items.join(&format!(",\n{inner}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Model {
        serde_json::from_str(
            r#"{"product":"toy","version":"2020-01-01",
                "actions":{"Make":{"input":"MakeRequest","output":"MakeResponse"}},
                "structures":{"MakeRequest":[{"name":"Tags","type":"[Tag]","required":true}],"MakeResponse":[],
                    "Tag":[{"name":"Key","type":"string","nullable":true}]},
                "errors":["B","A"]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_rendered_model_has_one_fact_a_line_and_reads_back() {
        let text = tiny().render().unwrap();
        assert_eq!(
            text,
            r#"{
 "product": "toy",
 "version": "2020-01-01",
 "actions": {
  "Make": {"input":"MakeRequest","output":"MakeResponse"}
 },
 "structures": {
  "MakeRequest": [
   {"name":"Tags","type":"[Tag]","required":true}
  ],
  "MakeResponse": [],
  "Tag": [
   {"name":"Key","type":"string","nullable":true}
  ]
 },
 "errors": [
  "A",
  "B"
 ]
}
"#
        );
        assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), tiny());
    }

    #[test]
    fn type_words_read_back_as_written() {
        for word in ["string", "datetime_iso", "Tag", "[Tag]", "[uint64]"] {
            assert_eq!(String::from(Kind::try_from(word.to_owned()).unwrap()), word);
        }
    }

    #[test]
    fn unknown_type_words_are_refused() {
        for word in ["", "int", "String]", "[[Tag]]", "[]", "tag", "Tag Value"] {
            assert!(Kind::try_from(word.to_owned()).is_err(), "{word:?}");
        }
    }

    #[test]
    fn a_dangling_member_type_is_found() {
        let mut model = tiny();
        model.structures.remove("Tag");
        assert_eq!(
            model.check(),
            Err(Inconsistency::DanglingReference {
                structure: "MakeRequest".into(),
                member: "Tags".into(),
                kind: "Tag".into()
            })
        );
    }

    #[test]
    fn a_missing_input_or_output_is_found() {
        for (role, structure) in [("input", "MakeRequest"), ("output", "MakeResponse")] {
            let mut model = tiny();
            model.structures.remove(structure);
            assert_eq!(
                model.check(),
                Err(Inconsistency::MissingStructure {
                    action: "Make".into(),
                    role,
                    structure: structure.into()
                })
            );
        }
    }

    #[test]
    fn a_member_declared_twice_is_found() {
        let mut model = tiny();
        let members = model.structures.get_mut("Tag").unwrap();
        members.push(members[0].clone());
        assert_eq!(
            model.check(),
            Err(Inconsistency::DuplicateMember { structure: "Tag".into(), member: "Key".into() })
        );
    }
}
