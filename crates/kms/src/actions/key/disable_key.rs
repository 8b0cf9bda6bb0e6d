//! `DisableKey`: a key stays, but nothing can be done with it until it is enabled.

use rookery_api::kms::{DisableKeyRequest, DisableKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::{Key, KeyId};
use crate::states::{KeyState, Operation};
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DisableKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn disable_key(
    kms: &Kms,
    call: Call<DisableKeyRequest>,
) -> Result<DisableKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DisableKeyRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    kms.change(scope, id, Operation::Disable, |_, key| {
        disable(key);
        Ok(())
    })
    .await?;
    Ok(DisableKeyResponse {})
}

/// What a disabled key that is disabled again answers: nothing happens, and that is no error.
pub(super) fn disable(key: &mut Key) {
    key.state = KeyState::Disabled;
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_api::kms::{EnableKeyRequest, MemberAccount};
    use rookery_gateway::Refusal;

    use super::*;
    use crate::actions::key::enable_key::enable_key;
    use crate::scene::{ABSENT, ECC, Scene};

    fn of(key_id: &str) -> DisableKeyRequest {
        DisableKeyRequest { key_id: key_id.to_owned(), member_account: None }
    }

    fn enabling(key_id: &str) -> EnableKeyRequest {
        EnableKeyRequest { key_id: key_id.to_owned(), member_account: None }
    }

    #[tokio::test]
    async fn keys_are_disabled_and_enabled_again_and_repeating_it_is_no_error() {
        let scene = Scene::new();
        let id = scene.create("release", ECC).await;
        assert!(enable_key(&scene.kms, scene.call(enabling(&id))).await.is_ok());
        assert_eq!(scene.state(&id).await, "Enabled");
        for _ in 0..2 {
            assert!(disable_key(&scene.kms, scene.call(of(&id))).await.is_ok());
            assert_eq!(scene.state(&id).await, "Disabled");
        }
        assert!(enable_key(&scene.kms, scene.call(enabling(&id))).await.is_ok());
        assert_eq!(scene.state(&id).await, "Enabled");
    }

    #[tokio::test]
    async fn the_unsealed_key_pair_is_dropped_with_the_permission_to_use_it() {
        let scene = Scene::new();
        let id = scene.create("release", ECC).await;
        let key = KeyId::parse(&id).unwrap();
        let sealed = scene.kms.material(&scene.scope(), &key).unwrap().private_key.clone();
        scene.sign(&id, "ECC_P256_R1", b"text").await.unwrap();
        assert!(scene.kms.pairs.get(&scene.scope(), &key, 1, &sealed).is_some());
        disable_key(&scene.kms, scene.call(of(&id))).await.unwrap();
        assert!(scene.kms.pairs.get(&scene.scope(), &key, 1, &sealed).is_none());
    }

    #[tokio::test]
    async fn other_keys_are_refused() {
        let scene = Scene::new();
        let id = scene.create("release", ECC).await;
        let member = || Some(MemberAccount { member_app_id: None, member_uin: Some(1) });
        for (key_id, member_account, code) in [
            (ABSENT, None, "ResourceUnavailable.CmkNotFound"),
            ("no-uuid", None, "InvalidParameterValue.InvalidKeyId"),
            (&*id, member(), "UnsupportedOperation"),
        ] {
            let key_id = key_id.to_owned();
            let request =
                DisableKeyRequest { key_id: key_id.clone(), member_account: member_account.clone() };
            let refusal = disable_key(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code);
            let request = EnableKeyRequest { key_id, member_account };
            let refusal = enable_key(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code);
        }
        assert_eq!(scene.state(&id).await, "Enabled");
    }
}
