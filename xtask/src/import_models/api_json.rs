//! Reads `tccli/services/<product>/v<date>/api.json`, the platform's own description of a product version.
//!
//! Only facts are taken: names, types, flags. Sentences and examples are skipped unread. Every key is named
//! here, so a release that adds one is noticed instead of being half understood.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use crate::model::{Action, Element, Kind, Member, Scalar, Status, UnknownType};

/// Actions and structures of a product version.
#[derive(Debug)]
pub(crate) struct Api {
    /// Actions by name.
    pub(crate) actions: BTreeMap<String, Action>,
    /// Structures by name, replies without `RequestId`.
    pub(crate) structures: BTreeMap<String, Vec<Member>>,
}

/// What is not as expected in an `api.json`.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// Not JSON, or keys that this importer does not know.
    #[error("not the expected shape: {0}")]
    Shape(#[from] serde_json::Error),
    /// `metadata.apiVersion` is not the version that was asked for.
    #[error("describes version {found:?}, expected {expected:?}")]
    Version { found: String, expected: String },
    /// An action without `input` or `output`.
    #[error("action {action} has no {role}")]
    MissingRole { action: String, role: &'static str },
    /// A status other than online, deprecated or offline.
    #[error("action {action} has the unknown status {status:?}")]
    Status { action: String, status: String },
    /// A `type` or a `member` that is not known.
    #[error("{structure}.{member}: {source}")]
    Type { structure: String, member: String, source: UnknownType },
    /// `type` and `member` that contradict each other.
    #[error("{structure}.{member}: type {kind:?} cannot hold {element:?}")]
    Mismatch { structure: String, member: String, kind: String, element: String },
    /// A reply that does not carry `RequestId`.
    #[error("reply {0} has no RequestId")]
    NoRequestId(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    actions: BTreeMap<String, SourceAction>,
    objects: BTreeMap<String, SourceObject>,
    metadata: Metadata,
    #[serde(rename = "version")]
    _format: IgnoredAny,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "apiVersion")]
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceAction {
    input: Option<String>,
    output: Option<String>,
    status: String,
    #[serde(default)]
    skip_sign: bool,
    #[serde(rename = "name")]
    _title: IgnoredAny,
    #[serde(rename = "document")]
    _document: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceObject {
    members: Vec<SourceMember>,
    #[serde(rename = "document")]
    _document: IgnoredAny,
    #[serde(rename = "type")]
    _type: Option<IgnoredAny>,
    #[serde(rename = "usage")]
    _usage: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceMember {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "member")]
    element: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    output_required: bool,
    #[serde(default)]
    value_allowed_null: bool,
    /// Marks a member that the console no longer shows; the SDKs still carry it, so it stays.
    #[serde(rename = "disabled")]
    _disabled: Option<IgnoredAny>,
    #[serde(rename = "document")]
    _document: IgnoredAny,
    #[serde(rename = "example")]
    _example: Option<IgnoredAny>,
}

/// Reads one `api.json` that must describe `version` (`2019-09-24`).
pub(crate) fn read(text: &str, version: &str) -> Result<Api, ApiError> {
    let file: File = serde_json::from_str(text)?;
    if file.metadata.version != version {
        return Err(ApiError::Version { found: file.metadata.version, expected: version.to_owned() });
    }
    let mut actions = BTreeMap::new();
    for (name, source) in file.actions {
        let action = action(&name, source)?;
        actions.insert(name, action);
    }
    let mut structures = BTreeMap::new();
    for (name, object) in file.objects {
        let members = object.members.into_iter().map(|source| member(&name, source));
        let members = members.collect::<Result<Vec<_>, _>>()?;
        structures.insert(name, members);
    }
    for action in actions.values() {
        // An output that does not exist at all is found by the model's own check.
        if let Some(members) = structures.get_mut(&action.output) {
            let before = members.len();
            members.retain(|member| member.name != "RequestId");
            if members.len() == before {
                return Err(ApiError::NoRequestId(action.output.clone()));
            }
        }
    }
    Ok(Api { actions, structures })
}

fn action(name: &str, source: SourceAction) -> Result<Action, ApiError> {
    let missing = |role| ApiError::MissingRole { action: name.to_owned(), role };
    let status = match source.status.as_str() {
        "online" => None,
        "deprecated" => Some(Status::Deprecated),
        "offline" => Some(Status::Offline),
        _ => return Err(ApiError::Status { action: name.to_owned(), status: source.status }),
    };
    Ok(Action {
        input: source.input.ok_or_else(|| missing("input"))?,
        output: source.output.ok_or_else(|| missing("output"))?,
        status,
        unsigned: source.skip_sign,
    })
}

fn member(structure: &str, source: SourceMember) -> Result<Member, ApiError> {
    let unknown = |error| ApiError::Type {
        structure: structure.to_owned(),
        member: source.name.clone(),
        source: error,
    };
    let element: Element = source.element.parse().map_err(unknown)?;
    let holds = match source.kind.as_str() {
        "list" => true,
        "object" => matches!(element, Element::Structure(_)),
        "string" => matches!(
            element,
            Element::Scalar(Scalar::String | Scalar::Date | Scalar::Datetime | Scalar::DatetimeIso)
        ),
        "int" => matches!(element, Element::Scalar(Scalar::Int64 | Scalar::Uint64)),
        "float" => matches!(element, Element::Scalar(Scalar::Float | Scalar::Double)),
        "bool" => matches!(element, Element::Scalar(Scalar::Bool)),
        "binary" => matches!(element, Element::Scalar(Scalar::Binary)),
        _ => return Err(unknown(UnknownType(source.kind.clone()))),
    };
    if !holds {
        return Err(ApiError::Mismatch {
            structure: structure.to_owned(),
            member: source.name,
            kind: source.kind,
            element: source.element,
        });
    }
    let kind = if source.kind == "list" { Kind::List(element) } else { element.into() };
    Ok(Member {
        name: source.name,
        kind,
        required: source.required,
        nullable: source.value_allowed_null,
        always: source.output_required,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A product of one action; the closure edits its JSON before it is read.
    fn read_edited(edit: impl FnOnce(&mut serde_json::Value)) -> Result<Api, ApiError> {
        let mut file = serde_json::json!({
            "actions": {
                "Make": {"document": "d", "name": "n", "input": "MakeRequest", "output": "MakeResponse", "status": "online"}
            },
            "metadata": {"apiVersion": "2020-01-01", "serviceShortName": "toy"},
            "objects": {
                "MakeRequest": {"document": "d", "type": "object", "members": [
                    {"name": "Zeta", "type": "list", "member": "Tag", "required": true, "disabled": false, "document": "d", "example": "e"},
                    {"name": "Alpha", "type": "int", "member": "uint64", "required": false, "disabled": true, "document": "d", "example": "e"}
                ]},
                "MakeResponse": {"document": "d", "type": "object", "members": [
                    {"name": "Tag", "type": "object", "member": "Tag", "output_required": true, "value_allowed_null": true, "document": "d"},
                    {"name": "RequestId", "type": "string", "member": "string", "document": "d"}
                ]},
                "Tag": {"document": "d", "usage": "both", "members": [
                    {"name": "RequestId", "type": "string", "member": "datetime_iso", "document": "d"}
                ]}
            },
            "version": "1.0"
        });
        edit(&mut file);
        read(&file.to_string(), "2020-01-01")
    }

    fn lines(members: &[Member]) -> Vec<String> {
        members.iter().map(|member| serde_json::to_string(member).unwrap()).collect()
    }

    #[test]
    fn members_keep_their_order_and_flags_and_replies_lose_their_request_id() {
        let api = read_edited(|_| ()).unwrap();
        assert_eq!(
            lines(&api.structures["MakeRequest"]),
            [r#"{"name":"Zeta","type":"[Tag]","required":true}"#, r#"{"name":"Alpha","type":"uint64"}"#]
        );
        assert_eq!(
            lines(&api.structures["MakeResponse"]),
            [r#"{"name":"Tag","type":"Tag","nullable":true,"always":true}"#]
        );
        // Only replies: a structure may have a member of that name.
        assert_eq!(lines(&api.structures["Tag"]), [r#"{"name":"RequestId","type":"datetime_iso"}"#]);
    }

    #[test]
    fn status_and_skipped_signature_are_carried() {
        let api = read_edited(|file| {
            file["actions"]["Make"]["status"] = "deprecated".into();
            file["actions"]["Make"]["skip_sign"] = true.into();
        })
        .unwrap();
        assert_eq!(
            serde_json::to_string(&api.actions["Make"]).unwrap(),
            r#"{"input":"MakeRequest","output":"MakeResponse","status":"deprecated","unsigned":true}"#
        );
    }

    #[test]
    fn an_action_without_input_or_output_is_refused() {
        for role in ["input", "output"] {
            let outcome = read_edited(|file| {
                file["actions"]["Make"].as_object_mut().unwrap().remove(role);
            });
            assert!(matches!(outcome, Err(ApiError::MissingRole { role: found, .. }) if found == role));
        }
    }

    #[test]
    fn an_unknown_status_is_refused() {
        let outcome = read_edited(|file| file["actions"]["Make"]["status"] = "hidden".into());
        assert!(matches!(outcome, Err(ApiError::Status { status, .. }) if status == "hidden"));
    }

    #[test]
    fn unknown_type_words_are_refused() {
        for (key, word) in [("type", "map"), ("member", "int128")] {
            let outcome = read_edited(|file| file["objects"]["MakeRequest"]["members"][1][key] = word.into());
            assert!(
                matches!(outcome, Err(ApiError::Type { source: UnknownType(found), .. }) if found == word)
            );
        }
    }

    #[test]
    fn a_type_that_contradicts_its_member_is_refused() {
        for kind in ["string", "bool", "float", "object", "binary"] {
            let outcome =
                read_edited(|file| file["objects"]["MakeRequest"]["members"][1]["type"] = kind.into());
            assert!(
                matches!(outcome, Err(ApiError::Mismatch { element, .. }) if element == "uint64"),
                "{kind}"
            );
        }
    }

    #[test]
    fn a_reply_without_request_id_is_refused() {
        let outcome = read_edited(|file| {
            file["objects"]["MakeResponse"]["members"].as_array_mut().unwrap().pop();
        });
        assert!(matches!(outcome, Err(ApiError::NoRequestId(reply)) if reply == "MakeResponse"));
    }

    #[test]
    fn another_version_is_refused() {
        let outcome = read_edited(|file| file["metadata"]["apiVersion"] = "2021-01-01".into());
        assert!(matches!(outcome, Err(ApiError::Version { found, .. }) if found == "2021-01-01"));
    }

    #[test]
    fn a_key_that_is_not_known_is_refused() {
        for path in ["/actions/Make", "/objects/Tag", "/objects/Tag/members/0", ""] {
            let outcome = read_edited(|file| file.pointer_mut(path).unwrap()["novelty"] = true.into());
            assert!(matches!(outcome, Err(ApiError::Shape(_))), "{path}");
        }
    }
}
