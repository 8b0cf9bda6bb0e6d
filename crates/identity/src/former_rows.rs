//! Rows as versions before this one wrote them, and what becomes of them.

use rookery_seal::Sealed;
use rookery_store::{Read as _, StoreError, Transaction, Untyped};
use serde_json::Value;

use crate::cam::access_keys::{AccessKeys, seal_context};

/// The first schema: secrets did not say what they were sealed for, and there was one key, which the root had been given.
pub fn name_places_of_secrets(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    for (scope, secret_id, mut row) in tx.scan_all::<Untyped<AccessKeys>>()? {
        let Some(secret) = row.get_mut("secret") else { continue };
        if Sealed::name_place(secret, &seal_context(&secret_id)) {
            if let Some(members) = row.as_object_mut() {
                members.entry("given").or_insert(Value::Bool(true));
            }
            tx.put::<Untyped<AccessKeys>>(&scope, &secret_id, &row)?;
        }
    }
    Ok(())
}
