//! Rows as versions before this one wrote them, and what becomes of them.

use rookery_seal::Sealed;
use rookery_store::{Read as _, StoreError, Transaction, Untyped};

use crate::instance_keys::{self, InstanceKeys};
use crate::instances::Instances;
use crate::token_key::{self, TokenKeys};

/// The third schema: instances were listed by reading all of them.
pub fn index_instances_by_age(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    tx.reindex::<Instances>()
}

/// The first schema: the keys that sign tokens did not say what they were sealed for. No member that an index is made of changes.
pub fn name_places_of_token_keys(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    for (scope, id, mut row) in tx.scan_all::<Untyped<InstanceKeys>>()? {
        if row.get_mut("sealed").is_some_and(|key| Sealed::name_place(key, &instance_keys::context(&id))) {
            tx.put::<Untyped<InstanceKeys>>(&scope, &id, &row)?;
        }
    }
    for (scope, name, mut row) in tx.scan_all::<Untyped<TokenKeys>>()? {
        if row.get_mut("sealed").is_some_and(|key| Sealed::name_place(key, token_key::CONTEXT)) {
            tx.put::<Untyped<TokenKeys>>(&scope, &name, &row)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rookery_store::{Regional, Store};
    use serde_json::json;

    use super::*;
    use crate::instances::Listed;
    use crate::paging::Page;

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
                // Without an index, as they were.
                tx.put::<Untyped<Instances>>(&scope, &format!("tcr-{number}"), &row)?;
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
