//! How a state that an older version wrote becomes one of this version. The list only grows; the products know their rows.

use std::path::Path;

use rookery_store::{Migration, OpenError, Store};

/// Oldest first. States from before there were any have schema 0, whether or not their sealed values said their places.
const MIGRATIONS: &[Migration] = &[
    Migration {
        what: "let sealed values say what they are sealed for",
        apply: |tx| {
            rookery_identity::name_places_of_secrets(tx)?;
            rookery_kms::name_places_of_private_keys(tx)?;
            rookery_tcr::name_places_of_token_keys(tx)
        },
    },
    Migration { what: "keep the tags of keys beside the keys", apply: rookery_kms::move_tags_out_of_keys },
];

/// The state of a data directory, brought to this version's schema.
pub(crate) fn open(directory: &Path) -> Result<Store, OpenError> {
    Store::open_with(directory, MIGRATIONS)
}
