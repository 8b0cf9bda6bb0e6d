//! `UpdateKeyDescription`: a key gets another description, which may be empty.

use rookery_api::kms::{UpdateKeyDescriptionRequest, UpdateKeyDescriptionResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Transaction;

use crate::error::Error;
use crate::keys::{DESCRIPTION_LIMIT, Key, KeyId};
use crate::states::Operation;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<UpdateKeyDescriptionRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn update_key_description(
    kms: &Kms,
    call: Call<UpdateKeyDescriptionRequest>,
) -> Result<UpdateKeyDescriptionResponse, Error> {
    let scope = kms.enter(&call).await?;
    let UpdateKeyDescriptionRequest { key_id, description, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    let description = listing::description(Some(description), DESCRIPTION_LIMIT)?;
    let describe = move |_: &mut Transaction<'_>, key: &mut Key| {
        key.description.clone_from(&description);
        Ok(())
    };
    kms.change(scope, id, Operation::Rename, describe).await?;
    Ok(UpdateKeyDescriptionResponse {})
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ABSENT, ECC, Scene};

    #[tokio::test]
    async fn a_description_is_replaced_within_its_length() {
        let scene = Scene::new();
        let (id, leaving) = (scene.create("one", ECC).await, scene.create("leaving", ECC).await);
        scene.disable(&leaving).await;
        scene.schedule(&leaving, 7).await.unwrap();
        let ask = async |id: &str, description: &str| {
            let (description, key_id) = (description.to_owned(), id.to_owned());
            let request = UpdateKeyDescriptionRequest { description, key_id, member_account: None };
            update_key_description(&scene.kms, scene.call(request))
                .await
                .map_err(|refusal| refusal.code().name())
        };
        let longest = "é".repeat(512);
        ask(&id, &longest).await.unwrap();
        assert_eq!(scene.metadata(&id).await.description, longest);
        ask(&id, "").await.unwrap();
        assert_eq!(scene.metadata(&id).await.description, "");
        assert_eq!(ask(&id, &"é".repeat(513)).await.err(), Some("InvalidParameter"));
        assert_eq!(ask("x", "").await.err(), Some("InvalidParameterValue.InvalidKeyId"));
        assert_eq!(ask(ABSENT, "").await.err(), Some("ResourceUnavailable.CmkNotFound"));
        assert_eq!(ask(&leaving, "").await.err(), Some("ResourceUnavailable.CmkStateNotSupport"));
    }
}
