//! The indexes that every table of keys has: within an account and a region by a name that no two share, and by the order of creation.

use rookery_store::{Regional, Scan};

/// Declares an index of a table by the account, the region and a member of its rows, whose values there are unique.
macro_rules! regional_index {
    ($(#[$doc:meta])* $index:ident: $table:ty, $name:literal, $member:ident: $type:ty) => {
        $(#[$doc])*
        pub(crate) struct $index;

        impl rookery_store::Index for $index {
            type Table = $table;
            type Value = (u64, String, $type);
            const NAME: &'static str = $name;
            const UNIQUE: bool = true;

            fn value(
                scope: &Regional,
                _: &String,
                row: &<$table as rookery_store::Table>::Row,
            ) -> Option<Self::Value> {
                Some((scope.uin, scope.region.clone(), Clone::clone(&row.$member)))
            }
        }
    };
}
pub(crate) use regional_index;

/// What is in an account and a region, newest first.
pub(crate) fn newest_first(scope: &Regional) -> Scan<(u64, String, u64)> {
    oldest_first(scope).reverse()
}

/// What is in an account and a region, oldest first.
pub(crate) fn oldest_first(scope: &Regional) -> Scan<(u64, String, u64)> {
    Scan::all().prefix(&(scope.uin, scope.region.clone()))
}
