//! `DisableKeys`: up to 100 keys stay, but nothing can be done with them; all of them, or none if one cannot be disabled.

use rookery_api::kms::{DisableKeysRequest, DisableKeysResponse};
use rookery_gateway::{Call, Resource};

use super::disable_key::disable;
use crate::error::Error;
use crate::states::Operation;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DisableKeysRequest>) -> Vec<Resource> {
    key_resources(kms, call, &call.request.key_ids)
}

pub(crate) async fn disable_keys(
    kms: &Kms,
    call: Call<DisableKeysRequest>,
) -> Result<DisableKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DisableKeysRequest { key_ids, member_account } = call.request;
    let ids = listing::batch(&key_ids)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.change_all(scope, ids, Operation::Disable, |_, key| {
        disable(key);
        Ok(())
    })
    .await?;
    Ok(DisableKeysResponse {})
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::actions::key::enable_keys::enable_keys;
    use crate::scene::{ABSENT, ECC, Scene};
    use rookery_api::kms::EnableKeysRequest;

    #[tokio::test]
    async fn all_are_disabled_and_enabled_or_none() {
        let scene = Scene::new();
        let (one, two) = (scene.create("one", ECC).await, scene.create("two", ECC).await);
        let archived = scene.create("archived", ECC).await;
        scene.archive(&archived).await;
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let disable = async |ids| {
            let request = DisableKeysRequest { key_ids: ids, member_account: None };
            disable_keys(&scene.kms, scene.call(request)).await.map_err(|refusal| refusal.code().name())
        };
        let enable = async |ids| {
            let request = EnableKeysRequest { key_ids: ids, member_account: None };
            enable_keys(&scene.kms, scene.call(request)).await.map_err(|refusal| refusal.code().name())
        };
        for (list, code) in [
            (ids(&[&one, &two, &archived]), "ResourceUnavailable.CmkStateNotSupport"),
            (ids(&[&one, ABSENT]), "ResourceUnavailable.CmkNotFound"),
            (ids(&[&one, &one]), "InvalidParameterValue.DuplicatedKeyId"),
            (ids(&[]), "InvalidParameter"),
        ] {
            assert_eq!(disable(list.clone()).await.err(), Some(code));
            assert_eq!(enable(list).await.err(), Some(code));
            assert_eq!(scene.state(&one).await, "Enabled");
        }
        disable(ids(&[&one, &two])).await.unwrap();
        assert_eq!(
            (scene.state(&one).await, scene.state(&two).await),
            ("Disabled".to_owned(), "Disabled".to_owned())
        );
        enable(ids(&[&one, &two])).await.unwrap();
        assert_eq!(
            (scene.state(&one).await, scene.state(&two).await),
            ("Enabled".to_owned(), "Enabled".to_owned())
        );
    }
}
