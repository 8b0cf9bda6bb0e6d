//! The keys that open something, held in memory because every request asks for one.

use std::collections::HashMap;

use parking_lot::RwLock;
use rookery_gateway::{Account, Caller, Credential, Principal, SecretKey};
use rookery_seal::Seal;
use rookery_store::{Account as AccountScope, Read, Scan, Store, StoreError};

use crate::cam::access_keys::{AccessKeyRow, AccessKeys, seal_context};
use crate::cam::users::Users;
use crate::error::OpenError;

pub(crate) struct KeysInMemory {
    seal: Seal,
    root: Account,
    keys: RwLock<HashMap<String, Credential>>,
}

impl KeysInMemory {
    pub(crate) fn read(store: &Store, seal: &Seal, root: Account) -> Result<Self, OpenError> {
        let this = Self { seal: seal.clone(), root, keys: RwLock::default() };
        store.read(|view| {
            for (secret_id, row) in view.scan::<AccessKeys>(&AccountScope { uin: root.uin }, Scan::all())? {
                let credential = this.credential(view, &secret_id, &row)?;
                this.keys.write().extend(credential.map(|credential| (secret_id, credential)));
            }
            Ok::<_, OpenError>(())
        })?;
        Ok(this)
    }

    pub(crate) fn find(&self, secret_id: &str) -> Option<Credential> {
        self.keys.read().get(secret_id).cloned()
    }

    /// What a key opens: nothing where it is disabled, or its user is gone.
    fn credential(
        &self,
        view: &impl Read,
        secret_id: &str,
        row: &AccessKeyRow,
    ) -> Result<Option<Credential>, OpenError> {
        if !row.active {
            return Ok(None);
        }
        let principal = if row.uin == self.root.uin {
            Principal::Root
        } else {
            let scope = AccountScope { uin: self.root.uin };
            let Some(user) = view.get::<Users>(&scope, &row.uin)? else { return Ok(None) };
            Principal::User { uin: row.uin, name: user.name.into() }
        };
        let secret = self.seal.open(&seal_context(secret_id), &row.secret)?;
        let secret = String::from_utf8(secret.to_vec()).map_err(|_| OpenError::DamagedKey)?;
        let caller = Caller::new(self.root, principal, secret_id);
        Ok(Some(Credential { caller, secret_key: SecretKey::new(secret) }))
    }
}

impl KeysInMemory {
    /// Reads keys again that were made, changed or deleted. The room is held meanwhile, so of two changes of one key the later counts.
    pub(crate) fn reread<'k>(
        &self,
        store: &Store,
        account: u64,
        changed: impl Iterator<Item = &'k str>,
    ) -> Result<(), StoreError> {
        let mut keys = self.keys.write();
        for secret_id in changed {
            // A key that cannot be read again opens nothing any more.
            keys.remove(secret_id);
            let credential = store.read(|view| {
                let row = view.get::<AccessKeys>(&AccountScope { uin: account }, secret_id)?;
                let credential = row.map(|row| self.credential(view, secret_id, &row));
                Ok::<_, StoreError>(credential)
            })?;
            match credential {
                Some(Ok(Some(credential))) => {
                    keys.insert(secret_id.to_owned(), credential);
                }
                Some(Err(error)) => tracing::error!(secret_id, %error, "a key cannot be read"),
                Some(Ok(None)) | None => {}
            }
        }
        Ok(())
    }
}
