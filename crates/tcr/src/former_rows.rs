//! Rows as versions before this one wrote them, and what becomes of them.

use rookery_seal::Sealed;
use rookery_store::{Global, Read as _, Regional, StoreError, Table, Transaction};
use serde_json::Value;

use crate::instance_keys::{self, InstanceKeys};
use crate::instances::Instances;
use crate::token_key::{self, TokenKeys};

/// [`InstanceKeys`], whatever their rows are. No member that an index is made of changes.
struct AnyInstanceKeys;

impl Table for AnyInstanceKeys {
    const NAME: &'static str = InstanceKeys::NAME;
    type Scope = Regional;
    type Key = String;
    type Row = Value;
}

/// [`TokenKeys`], whatever their rows are.
struct AnyTokenKeys;

impl Table for AnyTokenKeys {
    const NAME: &'static str = TokenKeys::NAME;
    type Scope = Global;
    type Key = String;
    type Row = Value;
}

/// The third schema: instances were listed by reading all of them.
pub fn index_instances_by_age(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    tx.reindex::<Instances>()
}

/// The first schema: the keys that sign tokens did not say what they were sealed for.
pub fn name_places_of_token_keys(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    for (scope, id, mut row) in tx.scan_all::<AnyInstanceKeys>()? {
        if row.get_mut("sealed").is_some_and(|key| Sealed::name_place(key, &instance_keys::context(&id))) {
            tx.put::<AnyInstanceKeys>(&scope, &id, &row)?;
        }
    }
    for (scope, name, mut row) in tx.scan_all::<AnyTokenKeys>()? {
        if row.get_mut("sealed").is_some_and(|key| Sealed::name_place(key, token_key::CONTEXT)) {
            tx.put::<AnyTokenKeys>(&scope, &name, &row)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rookery_store::Store;
    use serde_json::json;

    use super::*;
    use crate::instances::Listed;
    use crate::paging::Page;

    /// [`Instances`] as they were: with no index of their age.
    struct Unindexed;

    impl Table for Unindexed {
        const NAME: &'static str = Instances::NAME;
        type Scope = Regional;
        type Key = String;
        type Row = Value;
    }

    #[tokio::test]
    async fn instances_of_a_former_state_are_listed_by_their_age() {
        let store = Store::in_memory();
        let region = Regional { uin: 7, region: "ap-guangzhou".to_owned() };
        let scope = region.clone();
        let written = store.write(move |tx| {
            for number in 0..9 {
                let row = json!({
                    "name": format!("demo{number}"), "edition": "basic", "created_at": number, "deploying_at": number,
                    "running_at": number, "prepaid": null, "tags": [], "sync_tag": false, "deletion_protection": false,
                    "cos_maz": false, "cos_versioning": false, "enable_anonymous": true, "next_namespace": 1,
                });
                tx.put::<Unindexed>(&scope, &format!("tcr-{number}"), &row)?;
            }
            index_instances_by_age(tx)
        });
        written.await.unwrap();
        for listed in [Listed::Region(&region), Listed::Everywhere(7)] {
            let page = Page { skip: 1, length: 2 };
            let (rows, total) = store.read(|view| listed.page(view, page)).unwrap();
            let ids: Vec<_> = rows.into_iter().map(|instance| instance.id).collect();
            assert_eq!((total, ids), (9, vec!["tcr-7".to_owned(), "tcr-6".to_owned()]));
        }
    }
}
