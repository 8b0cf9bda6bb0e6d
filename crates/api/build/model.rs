//! The facts as `models/*.json` hold them. Their writer is `cargo xtask import-models`.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    pub(crate) product: String,
    pub(crate) version: String,
    pub(crate) actions: BTreeMap<String, Action>,
    pub(crate) structures: BTreeMap<String, Vec<Member>>,
    pub(crate) errors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    pub(crate) input: String,
    pub(crate) output: String,
    #[serde(default)]
    pub(crate) status: Option<Status>,
    #[serde(default)]
    pub(crate) unsigned: bool,
}

/// Absent where the action is online.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Deprecated,
    Offline,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) nullable: bool,
    #[serde(default)]
    pub(crate) always: bool,
}

impl Member {
    /// The structure that the member holds, directly or in lists.
    pub(crate) fn structure(&self) -> Option<&str> {
        let inner = self.kind.trim_start_matches('[').trim_end_matches(']');
        inner.starts_with(|c: char| c.is_ascii_uppercase()).then_some(inner)
    }
}
