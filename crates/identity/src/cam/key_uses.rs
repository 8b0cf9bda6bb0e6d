//! When keys were used last.

use rookery_store::{Account, Table};

/// The UNIX second of the last use that was written down, by SecretId.
pub(crate) struct KeyUses;

impl Table for KeyUses {
    const NAME: &'static str = "cam.key-uses";
    type Scope = Account;
    type Key = String;
    type Row = i64;
}
