//! Rows as versions before this one wrote them, and what becomes of them.

use rookery_seal::Sealed;
use rookery_store::{Global, Read as _, Regional, StoreError, Table, Transaction};
use serde_json::Value;

use crate::instance_keys::{self, InstanceKeys};
use crate::token_key::{self, TokenKeys};

/// [`InstanceKeys`], whatever their rows are. No member that an index is made of changes.
struct AnyInstanceKeys;

impl Table for AnyInstanceKeys {
    const NAME: &'static str = InstanceKeys::NAME;
    type Scope = Regional;
    type Key = String;
    type Row = Value;
}

/// [`TokenKeys`], whatever their rows are.
struct AnyTokenKeys;

impl Table for AnyTokenKeys {
    const NAME: &'static str = TokenKeys::NAME;
    type Scope = Global;
    type Key = String;
    type Row = Value;
}

/// The first schema: the keys that sign tokens did not say what they were sealed for.
pub fn name_places_of_token_keys(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    for (scope, id, mut row) in tx.scan_all::<AnyInstanceKeys>()? {
        if row.get_mut("sealed").is_some_and(|key| Sealed::name_place(key, &instance_keys::context(&id))) {
            tx.put::<AnyInstanceKeys>(&scope, &id, &row)?;
        }
    }
    for (scope, name, mut row) in tx.scan_all::<AnyTokenKeys>()? {
        if row.get_mut("sealed").is_some_and(|key| Sealed::name_place(key, token_key::CONTEXT)) {
            tx.put::<AnyTokenKeys>(&scope, &name, &row)?;
        }
    }
    Ok(())
}
