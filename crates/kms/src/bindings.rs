//! Which resources of cloud products depend on which key. A key that one depends on can be neither disabled, archived, deleted nor
//! deprived of its material.

use rookery_store::{Read, Regional, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::keys::KeyId;

/// A resource that depends on a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Binding {
    /// UNIX seconds.
    pub(crate) bound: u64,
}

/// The resources by the id of the key, the product and the resource's own id.
pub(crate) struct Bindings;

impl Table for Bindings {
    const NAME: &'static str = "kms.bindings";
    type Scope = Regional;
    type Key = (String, String, String);
    type Row = Binding;
}

/// Whether any resource depends on a key.
pub(crate) fn any(view: &impl Read, scope: &Regional, id: &KeyId) -> Result<bool, StoreError> {
    Ok(view.count::<Bindings>(scope, Scan::all().prefix(id.as_str()).limit(1))? > 0)
}
