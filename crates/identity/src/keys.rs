//! The root's key in the store: the one that it was given, or else the oldest active one that it has.

use rookery_gateway::Account;
use rookery_seal::Seal;
use rookery_store::{Account as AccountScope, Read, Store, StoreError};
use rookery_world::World;

use crate::cam::access_keys::{self, AccessKeyRow, AccessKeys, seal_context};
use crate::error::OpenError;
use crate::root_key::RootKey;

/// The root's active keys, the one that it was given first.
fn keys_of_root(rows: &impl Read, root: Account) -> Result<Vec<(String, AccessKeyRow)>, StoreError> {
    let mut keys = access_keys::of(rows, root.uin, root.uin)?;
    keys.retain(|(_, row)| row.active);
    Ok(keys)
}

/// The root's key, where it has one.
pub(crate) fn root_key(store: &Store, seal: &Seal, root: Account) -> Result<Option<RootKey>, OpenError> {
    let keys = store.read(|view| keys_of_root(view, root))?;
    let Some((secret_id, row)) = keys.into_iter().next() else { return Ok(None) };
    let secret = seal.open(&seal_context(&secret_id), &row.secret)?;
    let secret = String::from_utf8(secret.to_vec()).map_err(|_| OpenError::DamagedKey)?;
    Ok(Some(RootKey::new(secret_id, secret)?))
}

/// Gives the root `key`, and takes the one that it had; a second key that it made itself stays.
pub(crate) async fn replace_root_key(
    store: &Store,
    seal: &Seal,
    world: &World,
    root: Account,
    key: RootKey,
) -> Result<RootKey, OpenError> {
    let scope = AccountScope { uin: root.uin };
    let row = AccessKeyRow {
        uin: root.uin,
        secret: seal.seal(&seal_context(&key.secret_id), key.secret_key.as_bytes())?,
        created_at: world.unix_seconds(),
        active: true,
        description: String::new(),
        given: true,
    };
    let secret_id = key.secret_id.clone();
    store
        .write(move |tx| {
            let former = keys_of_root(tx, root)?.into_iter().next();
            if let Some((former, _)) = former {
                tx.delete::<AccessKeys>(&scope, &former)?;
            }
            tx.put::<AccessKeys>(&scope, &secret_id, &row)?;
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(key)
}
