//! The key that signs the registry's bearer tokens: one for all instances, made at the first start.

use rookery_registry::TokenKey;
use rookery_seal::{Seal, Sealed};
use rookery_store::{Global, Read, Store, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::OpenError;

/// The place that the sealed key is bound to.
pub(crate) const CONTEXT: &str = "tcr/bearer-key";
/// The one key of the table.
const ONLY: &str = "bearer";

/// The key that signs bearer tokens, alone in its table.
pub(crate) struct TokenKeys;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct TokenKeyRow {
    /// PKCS#8.
    sealed: Sealed,
}

impl Table for TokenKeys {
    const NAME: &'static str = "tcr.token-key";
    type Scope = Global;
    type Key = String;
    type Row = TokenKeyRow;
}

/// The kept key, or a fresh one that is kept from now on.
pub(crate) async fn open_or_make(store: &Store, seal: &Seal) -> Result<TokenKey, OpenError> {
    let kept = store.read(|view| view.get::<TokenKeys>(&Global, ONLY))?;
    let row = if let Some(row) = kept {
        row
    } else {
        let fresh = tokio::task::spawn_blocking(TokenKey::generate).await??;
        let row = TokenKeyRow { sealed: seal.seal(CONTEXT, fresh.pkcs8())? };
        let made = row.clone();
        store
            .write(move |tx| tx.insert::<TokenKeys>(&Global, &ONLY.to_owned(), &made).map(drop))
            .await
            .map_err(|error: StoreError| OpenError::Store(error))?;
        row
    };
    Ok(TokenKey::from_pkcs8(&seal.open(CONTEXT, &row.sealed)?)?)
}
