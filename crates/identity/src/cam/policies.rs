//! Custom policies and the versions of their text. Presets are no rows: see [`presets`](crate::cam::presets).

use rookery_store::{Account, ErasedIndex, Index, Read, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::cam::changes::{Change, Changed};
use crate::cam::error::Error;
use crate::cam::presets::{self, Preset};

/// Policies by their number.
pub(crate) struct Policies;

impl Table for Policies {
    const NAME: &'static str = "cam.policies";
    type Scope = Account;
    /// The `PolicyId`.
    type Key = u64;
    type Row = PolicyRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByName];
}

/// A custom policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PolicyRow {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    /// The version in force.
    pub(crate) default_version: u64,
    /// The number of the version that was made last; numbers are not given again.
    pub(crate) last_version: u64,
    /// Tags, by their keys in order.
    #[serde(default)]
    pub(crate) tags: Vec<(String, String)>,
}

/// By the account and the name.
pub(crate) struct ByName;

impl Index for ByName {
    type Table = Policies;
    type Value = (u64, String);
    const NAME: &'static str = "name";
    const UNIQUE: bool = true;

    fn value(scope: &Account, _: &u64, row: &PolicyRow) -> Option<(u64, String)> {
        Some((scope.uin, row.name.clone()))
    }
}

/// Texts, by the policy's number and the version's.
pub(crate) struct PolicyVersions;

impl Table for PolicyVersions {
    const NAME: &'static str = "cam.policy-versions";
    type Scope = Account;
    type Key = (u64, u64);
    type Row = PolicyVersionRow;
}

/// A text of a policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PolicyVersionRow {
    /// The document as it was given, decoded where it came URL-encoded.
    pub(crate) document: String,
    pub(crate) created_at: i64,
}

/// How many custom policies an account may have.
pub(crate) const POLICIES: usize = 1500;
/// How many versions a policy may have.
pub(crate) const VERSIONS: usize = 5;
/// When the presets came into being, as far as replies have to say so: the start of 2018 in Beijing.
const PRESETS_SINCE: i64 = 1_514_736_000;

/// A policy of either kind, with the text in force.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) preset: Option<&'static Preset>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) document: String,
    pub(crate) tags: Vec<(String, String)>,
}

impl Policy {
    fn of_preset(preset: &'static Preset) -> Self {
        Self {
            id: preset.id,
            name: preset.name.to_owned(),
            description: preset.description.to_owned(),
            preset: Some(preset),
            created_at: PRESETS_SINCE,
            updated_at: PRESETS_SINCE,
            document: preset.document.to_owned(),
            tags: Vec::new(),
        }
    }

    fn of_row(rows: &impl Read, account: u64, id: u64, row: PolicyRow) -> Result<Self, StoreError> {
        let version = rows.get::<PolicyVersions>(&Account { uin: account }, &(id, row.default_version))?;
        let version = version.ok_or_else(|| StoreError::Damaged {
            table: PolicyVersions::NAME.to_owned(),
            what: format!("the policy {id} has no default version"),
        })?;
        Ok(Self {
            id,
            name: row.name,
            description: row.description,
            preset: None,
            created_at: row.created_at,
            updated_at: row.updated_at,
            document: version.document,
            tags: row.tags,
        })
    }

    /// `1` for custom policies, `2` for presets.
    pub(crate) fn kind(&self) -> u64 {
        if self.preset.is_some() { 2 } else { 1 }
    }

    /// `User` for custom policies, `QCS` for presets.
    pub(crate) fn kind_name(&self) -> &'static str {
        if self.preset.is_some() { "QCS" } else { "User" }
    }
}

/// How every policy here was made: by its syntax.
pub(crate) const BY_SYNTAX: u64 = 2;

/// The policy of that number, of either kind.
pub(crate) fn get(rows: &impl Read, account: u64, id: u64) -> Result<Option<Policy>, StoreError> {
    if let Some(preset) = presets::find(id) {
        return Ok(Some(Policy::of_preset(preset)));
    }
    let row = rows.get::<Policies>(&Account { uin: account }, &id)?;
    row.map(|row| Policy::of_row(rows, account, id, row)).transpose()
}

/// The number of the policy of that name, of either kind.
pub(crate) fn named(rows: &impl Read, account: u64, name: &str) -> Result<Option<u64>, StoreError> {
    if let Some(preset) = presets::named(name) {
        return Ok(Some(preset.id));
    }
    Ok(rows.find::<ByName>(&(account, name.to_owned()))?.map(|(_, id, _)| id))
}

/// All policies: presets, then custom ones in the order in which they were made.
pub(crate) fn all(rows: &impl Read, account: u64) -> Result<Vec<Policy>, StoreError> {
    let mut policies: Vec<_> = presets::PRESETS.iter().map(Policy::of_preset).collect();
    for (id, row) in rows.scan::<Policies>(&Account { uin: account }, Scan::all())? {
        policies.push(Policy::of_row(rows, account, id, row)?);
    }
    Ok(policies)
}

/// The custom policy of that number, to be changed.
pub(crate) fn custom(rows: &impl Read, account: u64, id: u64) -> Result<PolicyRow, Error> {
    if presets::find(id).is_some() {
        return Err(Error::PolicyIdIllegal);
    }
    rows.get::<Policies>(&Account { uin: account }, &id)?.ok_or(Error::NoPolicy { id })
}

/// Refuses a name that another policy has.
pub(crate) fn check_free(rows: &impl Read, account: u64, name: &str) -> Result<(), Error> {
    if named(rows, account, name)?.is_some() {
        return Err(Error::PolicyNameTaken { name: name.to_owned() });
    }
    Ok(())
}

/// Adds a text to a policy and gives its number; makes it the one in force where `in_force`.
pub(crate) fn add_version(
    change: &mut Change<'_, '_>,
    account: u64,
    id: u64,
    document: &str,
    in_force: bool,
    now: i64,
) -> Result<u64, Error> {
    let scope = Account { uin: account };
    let mut row = custom(change.tx, account, id)?;
    if versions(change.tx, account, id)?.len() >= VERSIONS {
        return Err(Error::VersionsFull { limit: VERSIONS });
    }
    row.last_version += 1;
    let version = row.last_version;
    let text = PolicyVersionRow { document: document.to_owned(), created_at: now };
    change.tx.put::<PolicyVersions>(&scope, &(id, version), &text)?;
    if in_force {
        row.default_version = version;
        row.updated_at = now;
        change.note(Changed::Policy(id));
    }
    change.tx.put::<Policies>(&scope, &id, &row)?;
    Ok(version)
}

/// The texts of a custom policy by the numbers of their versions.
pub(crate) fn versions(
    rows: &impl Read,
    account: u64,
    id: u64,
) -> Result<Vec<(u64, PolicyVersionRow)>, StoreError> {
    let versions = rows.scan::<PolicyVersions>(&Account { uin: account }, Scan::all().prefix(&id))?;
    Ok(versions.into_iter().map(|((_, version), row)| (version, row)).collect())
}

/// The versions of a policy of either kind: the number in force, and all of them. A preset has one.
pub(crate) fn history(
    rows: &impl Read,
    account: u64,
    id: u64,
) -> Result<(u64, Vec<(u64, PolicyVersionRow)>), Error> {
    if let Some(preset) = presets::find(id) {
        let row = PolicyVersionRow { document: preset.document.to_owned(), created_at: PRESETS_SINCE };
        return Ok((1, vec![(1, row)]));
    }
    let row = custom(rows, account, id)?;
    Ok((row.default_version, versions(rows, account, id)?))
}

/// What the account calls a preset for itself, by the preset's number.
pub(crate) struct PresetAliases;

impl Table for PresetAliases {
    const NAME: &'static str = "cam.preset-aliases";
    type Scope = Account;
    type Key = u64;
    type Row = String;
}

/// The number of the policy of a request that names it by number or by name, the number first.
pub(crate) fn wanted(
    rows: &impl Read,
    account: u64,
    id: Option<u64>,
    name: Option<&str>,
) -> Result<u64, Error> {
    match (id.filter(|id| *id != 0), name.filter(|name| !name.is_empty())) {
        (Some(id), _) => get(rows, account, id)?.map(|policy| policy.id).ok_or(Error::NoSuchPolicy { id }),
        (None, Some(name)) => {
            named(rows, account, name)?.ok_or_else(|| Error::NoPolicyNamed { name: name.to_owned() })
        }
        (None, None) => {
            Err(Error::Parameter { parameter: "PolicyId", rule: "or `PolicyName` must be given" })
        }
    }
}
