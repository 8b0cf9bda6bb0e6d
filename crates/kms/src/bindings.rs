//! Which resources of cloud products depend on which key. A key that one depends on can be neither disabled, archived, deleted nor
//! deprived of its material.

use rookery_store::{Read, Regional, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::keys::KeyId;

/// The longest name of a product or a resource, in bytes. No source says one.
const NAME_LIMIT: usize = 256;

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

/// Refuses names of products and resources that are empty or too long.
pub(crate) fn check_names(product: &str, resource: &str) -> Result<(), Error> {
    for (parameter, name) in [("ProductId", product), ("ResourceId", resource)] {
        if name.is_empty() || name.len() > NAME_LIMIT {
            return Err(Error::value(parameter, name));
        }
    }
    Ok(())
}
