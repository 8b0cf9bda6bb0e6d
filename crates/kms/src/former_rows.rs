//! Rows as versions before this one wrote them, and what becomes of them.

use rookery_seal::Sealed;
use rookery_store::{Read as _, StoreError, Table as _, Transaction, Untyped};
use serde_json::Value;

use crate::keys::{KeyId, Keys, Materials, seal_context};
use crate::tags::{self, KeyTag, Tags};

fn damaged(table: &str, what: &str) -> StoreError {
    StoreError::Damaged { table: table.to_owned(), what: what.to_owned() }
}

/// The first schema: private keys did not say what they were sealed for.
pub fn name_places_of_private_keys(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    for (scope, id, mut row) in tx.scan_all::<Untyped<Materials>>()? {
        let key = KeyId::parse(&id).map_err(|_| damaged(Materials::NAME, "a key is no id"))?;
        let Some(sealed) = row.get_mut("private_key") else { continue };
        if Sealed::name_place(sealed, &seal_context(&key)) {
            tx.put::<Untyped<Materials>>(&scope, &id, &row)?;
        }
    }
    Ok(())
}

/// The first schema: a key kept its tags itself. No member that an index is made of changes.
pub fn move_tags_out_of_keys(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    for (scope, id, mut row) in tx.scan_all::<Untyped<Keys>>()? {
        let creator = row.get("creator").and_then(Value::as_u64);
        let kept = row.as_object_mut().and_then(|members| members.remove("tags"));
        let (Some(kept), Some(creator)) = (kept, creator) else { continue };
        let kept: Vec<KeyTag> =
            serde_json::from_value(kept).map_err(|_| damaged(Keys::NAME, "the tags of a key"))?;
        if !tx.contains::<Tags>(&scope, tags::resource(creator, &id).as_str())? {
            tags::attach(tx, &scope, creator, &id, &kept)?;
        }
        tx.put::<Untyped<Keys>>(&scope, &id, &row)?;
    }
    Ok(())
}
