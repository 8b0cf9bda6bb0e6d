//! Accounts. There is one, the root account, made at the first start.

use rookery_gateway::Account;
use rookery_store::{Global, Read, Scan, Store, StoreError, Table};
use rookery_world::World;
use serde::{Deserialize, Serialize};

struct Accounts;

impl Table for Accounts {
    const NAME: &'static str = "identity.accounts";
    type Scope = Global;
    /// The account's number.
    type Key = u64;
    type Row = AccountRow;
}

#[derive(Serialize, Deserialize)]
struct AccountRow {
    app_id: u64,
    created_at: i64,
}

/// When an account was made, in UNIX seconds.
pub(crate) fn created_at(rows: &impl Read, uin: u64) -> Result<i64, StoreError> {
    Ok(rows.get::<Accounts>(&Global, &uin)?.map_or(0, |row| row.created_at))
}

pub(crate) async fn open_or_create_root(store: &Store, world: &World) -> Result<Account, StoreError> {
    // Twelve digits and ten, as the platform's examples have them.
    let digits = |prefix, length| world.identifier_of(prefix, length, b"0123456789").parse();
    let fresh = Account {
        uin: digits("1000", 8).unwrap_or(100_000_000_001),
        app_id: digits("125", 7).unwrap_or(1_250_000_001),
    };
    let created_at = world.unix_seconds();
    store
        .write(move |tx| {
            if let Some((uin, row)) = tx.scan::<Accounts>(&Global, Scan::all().limit(1))?.into_iter().next() {
                return Ok(Account { uin, app_id: row.app_id });
            }
            tx.put::<Accounts>(&Global, &fresh.uin, &AccountRow { app_id: fresh.app_id, created_at })?;
            Ok(fresh)
        })
        .await
}
