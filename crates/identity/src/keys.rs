//! API keys in the store, their secrets sealed.

use rookery_gateway::Account;
use rookery_seal::{Seal, Sealed};
use rookery_store::{Account as AccountScope, Read, Scan, Store, StoreError, Table};
use rookery_world::World;
use serde::{Deserialize, Serialize};

use crate::error::OpenError;
use crate::root_key::RootKey;

struct Keys;

impl Table for Keys {
    const NAME: &'static str = "identity.keys";
    type Scope = AccountScope;
    /// The SecretId.
    type Key = String;
    type Row = KeyRow;
}

#[derive(Clone, Serialize, Deserialize)]
struct KeyRow {
    /// The identity within the account that the key belongs to.
    uin: u64,
    secret: Sealed,
    created_at: i64,
}

/// Where a key's secret is sealed for.
fn context(secret_id: &str) -> String {
    format!("identity/key/{secret_id}")
}

/// The root's key, where it has one.
pub(crate) fn root_key(store: &Store, seal: &Seal, root: Account) -> Result<Option<RootKey>, OpenError> {
    let scope = AccountScope { uin: root.uin };
    let keys = store.read(|view| view.scan::<Keys>(&scope, Scan::all()))?;
    let Some((secret_id, row)) = keys.into_iter().find(|(_, row)| row.uin == root.uin) else {
        return Ok(None);
    };
    let secret = seal.open(&context(&secret_id), &row.secret)?;
    let secret = String::from_utf8(secret.to_vec()).map_err(|_| OpenError::DamagedKey)?;
    Ok(Some(RootKey::new(secret_id, secret)?))
}

/// Gives the root `key`, and takes the one that it had.
pub(crate) async fn replace_root_key(
    store: &Store,
    seal: &Seal,
    world: &World,
    root: Account,
    key: RootKey,
) -> Result<RootKey, OpenError> {
    let scope = AccountScope { uin: root.uin };
    let row = KeyRow {
        uin: root.uin,
        secret: seal.seal(&context(&key.secret_id), key.secret_key.as_bytes())?,
        created_at: world.unix_seconds(),
    };
    let secret_id = key.secret_id.clone();
    store
        .write(move |tx| {
            for (former, _) in
                tx.scan::<Keys>(&scope, Scan::all())?.into_iter().filter(|(_, row)| row.uin == root.uin)
            {
                tx.delete::<Keys>(&scope, &former)?;
            }
            tx.put::<Keys>(&scope, &secret_id, &row)?;
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(key)
}
