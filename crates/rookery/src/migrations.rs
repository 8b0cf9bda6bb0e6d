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
    Migration { what: "index instances by their age", apply: rookery_tcr::index_instances_by_age },
];

/// The state of a data directory, brought to this version's schema.
pub(crate) fn open(directory: &Path) -> Result<Store, OpenError> {
    Store::open_with(directory, MIGRATIONS)
}

#[cfg(test)]
mod tests {
    use rookery_seal::{Seal, Sealed};
    use rookery_store::{Account, Global, Read as _, Regional, Table};
    use serde_json::{Value, json};

    use super::*;

    /// The tables whose rows have changed.
    macro_rules! table {
        ($table:ident, $name:literal, $scope:ty) => {
            struct $table;

            impl Table for $table {
                const NAME: &'static str = $name;
                type Scope = $scope;
                type Key = String;
                type Row = Value;
            }
        };
    }
    table!(AccessKeys, "identity.keys", Account);
    table!(Materials, "kms.materials", Regional);
    table!(Keys, "kms.keys", Regional);
    table!(KeyTags, "kms.tags", Regional);
    table!(InstanceKeys, "tcr.instance-keys", Regional);
    table!(TokenKeys, "tcr.token-key", Global);

    const KEY: &str = "6a596468-2796-4a81-85aa-2bda5aeedbab";
    const ACCOUNT: Account = Account { uin: 7 };

    /// A secret as the first schema had it: the Base64 of the bytes alone.
    fn former(seal: &Seal, context: &str) -> Value {
        let sealed = serde_json::to_value(seal.seal(context, context.as_bytes()).unwrap()).unwrap();
        sealed["sealed"].clone()
    }

    fn opens(seal: &Seal, context: &str, value: &Value) -> bool {
        let sealed: Sealed = serde_json::from_value(value.clone()).unwrap();
        seal.open(context, &sealed).is_ok_and(|secret| &**secret == context.as_bytes())
    }

    fn region() -> Regional {
        Regional { uin: ACCOUNT.uin, region: "ap-guangzhou".to_owned() }
    }

    async fn first_schema(directory: &Path, seal: &Seal) {
        let store = Store::open(directory).unwrap();
        let secret = json!({"uin": 7, "secret": former(seal, "identity/key/AKIDone"), "created_at": 1});
        let material = json!({"public_key": "", "private_key": former(seal, &format!("kms/key/{KEY}"))});
        let key = json!({"alias": "one", "creator": 7, "tags": [{"key": "team", "value": "build"}]});
        let instance = json!({"sealed": former(seal, "tcr/instance-key/tcr-1"), "public": "", "kid": "k"});
        let bearer = json!({"sealed": former(seal, "tcr/bearer-key")});
        let written = store.write(move |tx| {
            tx.put::<AccessKeys>(&ACCOUNT, &"AKIDone".to_owned(), &secret)?;
            tx.put::<Materials>(&region(), &KEY.to_owned(), &material)?;
            tx.put::<Keys>(&region(), &KEY.to_owned(), &key)?;
            tx.put::<InstanceKeys>(&region(), &"tcr-1".to_owned(), &instance)?;
            tx.put::<TokenKeys>(&Global, &"bearer".to_owned(), &bearer)
        });
        written.await.unwrap();
    }

    #[tokio::test]
    async fn a_state_of_the_first_schema_opens_and_nothing_of_it_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let seal = Seal::ephemeral().unwrap();
        first_schema(directory.path(), &seal).await;
        // The second time there is nothing to do.
        for _ in 0..2 {
            let store = open(directory.path()).unwrap();
            store
                .read(|view| {
                    let row = |row: Option<Value>| row.unwrap();
                    let secret = row(view.get::<AccessKeys>(&ACCOUNT, "AKIDone")?);
                    assert!(opens(&seal, "identity/key/AKIDone", &secret["secret"]));
                    assert_eq!((&secret["given"], &secret["created_at"]), (&json!(true), &json!(1)));
                    let material = row(view.get::<Materials>(&region(), KEY)?);
                    assert!(opens(&seal, &format!("kms/key/{KEY}"), &material["private_key"]));
                    assert_eq!(row(view.get::<Keys>(&region(), KEY)?), json!({"alias": "one", "creator": 7}));
                    let tags = row(view.get::<KeyTags>(&region(), &*format!("key/creatorUin/7/{KEY}"))?);
                    assert_eq!(tags, json!([{"key": "team", "value": "build"}]));
                    let instance = row(view.get::<InstanceKeys>(&region(), "tcr-1")?);
                    assert!(opens(&seal, "tcr/instance-key/tcr-1", &instance["sealed"]));
                    let bearer = row(view.get::<TokenKeys>(&Global, "bearer")?);
                    assert!(opens(&seal, "tcr/bearer-key", &bearer["sealed"]));
                    Ok::<_, rookery_store::StoreError>(())
                })
                .unwrap();
        }
    }

    #[tokio::test]
    async fn an_export_of_the_first_schema_is_migrated_as_well() {
        let (former, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let seal = Seal::ephemeral().unwrap();
        first_schema(former.path(), &seal).await;
        let mut export = Vec::new();
        Store::open(former.path()).unwrap().export(&mut export).unwrap();
        let store = open(directory.path()).unwrap();
        store.import(export.as_slice()).await.unwrap();
        let material = store.read(|view| view.get::<Materials>(&region(), KEY)).unwrap().unwrap();
        assert!(opens(&seal, &format!("kms/key/{KEY}"), &material["private_key"]));
    }
}
