//! `UpdateAlias`: a key gets another name.

use rookery_api::kms::{UpdateAliasRequest, UpdateAliasResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{self, Key, KeyId};
use crate::states::Operation;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<UpdateAliasRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn update_alias(
    kms: &Kms,
    call: Call<UpdateAliasRequest>,
) -> Result<UpdateAliasResponse, Error> {
    let scope = kms.enter(&call).await?;
    let UpdateAliasRequest { key_id, alias, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    keys::check_alias(&alias)?;
    let place = scope.clone();
    let rename = move |tx: &mut Transaction<'_>, key: &mut Key| {
        // Its own name is not taken by another one.
        if key.alias != alias {
            keys::check_alias_free(tx, &place, &alias)?;
            key.alias.clone_from(&alias);
        }
        Ok(())
    };
    kms.change(scope, id, Operation::Rename, rename).await?;
    Ok(UpdateAliasResponse {})
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ABSENT, ECC, Scene};

    async fn ask(scene: &Scene, id: &str, alias: &str) -> Result<UpdateAliasResponse, Error> {
        let (alias, key_id) = (alias.to_owned(), id.to_owned());
        update_alias(&scene.kms, scene.call(UpdateAliasRequest { alias, key_id, member_account: None })).await
    }

    #[tokio::test]
    async fn a_name_is_free_again_once_its_key_has_another() {
        let scene = Scene::new();
        let (one, two) = (scene.create("one", ECC).await, scene.create("two", ECC).await);
        ask(&scene, &one, "one").await.unwrap();
        assert!(matches!(ask(&scene, &one, "two").await, Err(Error::AliasTaken(_))));
        ask(&scene, &one, "three").await.unwrap();
        ask(&scene, &two, "one").await.unwrap();
        assert_eq!(scene.metadata(&one).await.alias, "three");
        assert_eq!(scene.metadata(&two).await.alias, "one");
    }

    #[tokio::test]
    async fn what_cannot_be_renamed_is_refused() {
        let scene = Scene::new();
        let (id, leaving) = (scene.create("one", ECC).await, scene.create("leaving", ECC).await);
        scene.disable(&leaving).await;
        scene.schedule(&leaving, 7).await.unwrap();
        for (id, alias, code) in [
            (&*id, "kms-x", "InvalidParameterValue.InvalidAlias"),
            (ABSENT, "x", "ResourceUnavailable.CmkNotFound"),
            ("x", "x", "InvalidParameterValue.InvalidKeyId"),
            (&leaving, "x", "ResourceUnavailable.CmkStateNotSupport"),
        ] {
            assert_eq!(ask(&scene, id, alias).await.unwrap_err().code().name(), code);
        }
    }
}
