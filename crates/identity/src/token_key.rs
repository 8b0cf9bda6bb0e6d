//! The key that seals the tokens of temporary keys: made at the first start, kept sealed under the master key. Whoever deletes the row
//! ends every temporary key there is.

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use rookery_seal::{Seal, Sealed};
use rookery_store::{Global, Read, Store, StoreError, Table};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::OpenError;

const CONTEXT: &str = "identity/token-key";
/// Bytes of the key.
const LENGTH: usize = 32;
/// The one key of the table.
const ONLY: &str = "session";

struct TokenKeys;

#[derive(Clone, Serialize, Deserialize)]
struct TokenKeyRow {
    sealed: Sealed,
}

impl Table for TokenKeys {
    const NAME: &'static str = "identity.token-key";
    type Scope = Global;
    type Key = String;
    type Row = TokenKeyRow;
}

/// The key of tokens. It is one of its own, so that the many tokens use up nothing of what the master key may seal.
pub(crate) async fn open_or_make(store: &Store, seal: &Seal) -> Result<RandomizedNonceKey, OpenError> {
    let kept = store.read(|view| view.get::<TokenKeys>(&Global, ONLY))?;
    let row = if let Some(row) = kept {
        row
    } else {
        let mut fresh = Zeroizing::new([0; LENGTH]);
        getrandom::fill(&mut *fresh).map_err(|_| OpenError::Randomness)?;
        let row = TokenKeyRow { sealed: seal.seal(CONTEXT, &*fresh)? };
        let made = row.clone();
        store
            .write(move |tx| tx.insert::<TokenKeys>(&Global, &ONLY.to_owned(), &made).map(drop))
            .await
            .map_err(|error: StoreError| OpenError::Store(error))?;
        row
    };
    let key = seal.open(CONTEXT, &row.sealed)?;
    RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| OpenError::DamagedKey)
}
