//! The keys that open something, held in memory because every request asks for one.

use std::collections::HashMap;

use parking_lot::RwLock;
use rookery_gateway::{Account, Caller, Credential, Principal, SecretKey};
use rookery_seal::Seal;
use rookery_store::{Account as AccountScope, Read, Scan, Store, StoreError};

use crate::cam::access_keys::{AccessKeyRow, AccessKeys, seal_context};
use crate::cam::changes::{Changed, Follower};
use crate::error::OpenError;

pub(crate) struct KeysInMemory {
    seal: Seal,
    root: Account,
    keys: RwLock<HashMap<String, Credential>>,
}

impl KeysInMemory {
    pub(crate) fn read(store: &Store, seal: &Seal, root: Account) -> Result<Self, OpenError> {
        let this = Self { seal: seal.clone(), root, keys: RwLock::default() };
        let rows =
            store.read(|view| view.scan::<AccessKeys>(&AccountScope { uin: root.uin }, Scan::all()))?;
        for (secret_id, row) in rows {
            let credential = this.credential(&secret_id, &row)?;
            this.keys.write().extend(credential.map(|credential| (secret_id, credential)));
        }
        Ok(this)
    }

    pub(crate) fn find(&self, secret_id: &str) -> Option<Credential> {
        self.keys.read().get(secret_id).cloned()
    }

    /// What a key opens: nothing where it is disabled, or not the root's as long as only roots have rights.
    fn credential(&self, secret_id: &str, row: &AccessKeyRow) -> Result<Option<Credential>, OpenError> {
        if !row.active || row.uin != self.root.uin {
            return Ok(None);
        }
        let secret = self.seal.open(&seal_context(secret_id), &row.secret)?;
        let secret = String::from_utf8(secret.to_vec()).map_err(|_| OpenError::DamagedKey)?;
        let caller =
            Caller { account: self.root, principal: Principal::Root, secret_id: secret_id.to_owned() };
        Ok(Some(Credential { caller, secret_key: SecretKey::new(secret) }))
    }
}

impl Follower for KeysInMemory {
    fn follow(&self, store: &Store, account: u64, changed: &[Changed]) -> Result<(), StoreError> {
        let mut keys = self.keys.write();
        for changed in changed {
            let Changed::Key(secret_id) = changed else { continue };
            // A key that cannot be read again opens nothing any more.
            keys.remove(secret_id);
            let row = store
                .read(|view| view.get::<AccessKeys>(&AccountScope { uin: account }, secret_id.as_str()))?;
            if let Some(Ok(Some(credential))) = row.map(|row| self.credential(secret_id, &row)) {
                keys.insert(secret_id.clone(), credential);
            }
        }
        Ok(())
    }
}
