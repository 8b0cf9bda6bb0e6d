//! API keys, of root accounts and of sub-users, their secrets sealed.

use rookery_seal::Sealed;
use rookery_store::{Account, Read, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};

/// API keys by their SecretId.
pub(crate) struct AccessKeys;

impl Table for AccessKeys {
    const NAME: &'static str = "identity.keys";
    type Scope = Account;
    /// The SecretId.
    type Key = String;
    type Row = AccessKeyRow;
}

/// A key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccessKeyRow {
    /// The identity within the account that the key belongs to: the account's number for its root.
    pub(crate) uin: u64,
    pub(crate) secret: Sealed,
    pub(crate) created_at: i64,
    /// Whether it opens anything.
    #[serde(default = "active")]
    pub(crate) active: bool,
    #[serde(default)]
    pub(crate) description: String,
}

fn active() -> bool {
    true
}

/// Where a key's secret is sealed for.
pub(crate) fn seal_context(secret_id: &str) -> String {
    format!("identity/key/{secret_id}")
}

/// The keys of one identity, oldest first.
pub(crate) fn of(
    rows: &impl Read,
    account: u64,
    uin: u64,
) -> Result<Vec<(String, AccessKeyRow)>, StoreError> {
    let mut keys = rows.scan::<AccessKeys>(&Account { uin: account }, Scan::all())?;
    keys.retain(|(_, row)| row.uin == uin);
    keys.sort_by_key(|(_, row)| row.created_at);
    Ok(keys)
}
