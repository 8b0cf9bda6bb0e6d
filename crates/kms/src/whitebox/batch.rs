//! The ids of the actions that change many white-box keys.

use std::collections::HashSet;

use super::error::{BATCH_LIMIT, WhiteBoxError};
use crate::error::Error;
use crate::keys::KeyId;

/// Reads 1 to 50 well-formed ids, none of them twice.
pub(crate) fn read(ids: &[String]) -> Result<Vec<KeyId>, Error> {
    if ids.is_empty() || ids.len() > BATCH_LIMIT {
        return Err(WhiteBoxError::BatchSize(ids.len()).into());
    }
    let ids = ids.iter().map(|id| KeyId::parse(id)).collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    match ids.iter().find(|id| !seen.insert(*id)) {
        Some(repeated) => Err(WhiteBoxError::RepeatedKeyId(repeated.clone()).into()),
        None => Ok(ids),
    }
}
