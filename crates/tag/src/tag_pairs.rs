//! Pairs of key and value that an account has made, whether or not they hang somewhere.

use rookery_store::{Account, Read, Scan, StoreError, Table, Transaction};

use crate::error::Error;
use crate::holder::Tag;

/// The pairs, by key and value.
pub(crate) struct TagPairs;

impl Table for TagPairs {
    const NAME: &'static str = "tag.pairs";
    type Scope = Account;
    type Key = (String, String);
    /// When it was made.
    type Row = i64;
}

/// How many keys an account may have.
const KEYS: usize = 1000;
/// How many values a key may have.
const VALUES: usize = 1000;

/// The pairs of an account.
pub(crate) fn all(rows: &impl Read, account: u64) -> Result<Vec<Tag>, StoreError> {
    rows.scan_keys::<TagPairs>(&Account { uin: account }, Scan::all())
}

/// Makes pairs that are not there yet; says whether all of them were new.
pub(crate) fn make(tx: &mut Transaction<'_>, account: u64, pairs: &[Tag], now: i64) -> Result<bool, Error> {
    let scope = Account { uin: account };
    let mut fresh = true;
    for pair in pairs {
        if tx.contains::<TagPairs>(&scope, pair)? {
            fresh = false;
            continue;
        }
        let values = tx.count::<TagPairs>(&scope, Scan::all().prefix(pair.0.as_str()))?;
        if values >= VALUES {
            return Err(Error::ValuesFull { limit: VALUES });
        }
        if values == 0 {
            let mut keys = all(tx, account)?;
            keys.dedup_by(|(one, _), (other, _)| one == other);
            if keys.len() >= KEYS {
                return Err(Error::KeysFull { limit: KEYS });
            }
        }
        tx.put::<TagPairs>(&scope, pair, &now)?;
    }
    Ok(fresh)
}
