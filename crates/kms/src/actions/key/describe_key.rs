//! `DescribeKey`: everything about one key but its material.

use rookery_api::kms::{DescribeKeyRequest, DescribeKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::error::Error;
use crate::keys::KeyId;
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DescribeKeyRequest>) -> Vec<Resource> {
    key_resources(kms, call, [&call.request.key_id])
}

pub(crate) async fn describe_key(
    kms: &Kms,
    call: Call<DescribeKeyRequest>,
) -> Result<DescribeKeyResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DescribeKeyRequest { key_id, member_account } = call.request;
    let id = KeyId::parse(&key_id)?;
    listing::refuse_member(member_account.as_ref())?;
    Ok(DescribeKeyResponse { key_metadata: kms.key(&scope, &id)?.metadata(key_id) })
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_api::kms::MemberAccount;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ABSENT, ACCOUNT, NOW, RSA, Scene};

    fn of(key_id: &str) -> DescribeKeyRequest {
        DescribeKeyRequest { key_id: key_id.to_owned(), member_account: None }
    }

    #[tokio::test]
    async fn a_key_is_described_as_it_was_made() {
        let scene = Scene::new();
        let id = scene.create("release", RSA).await;
        let reply = describe_key(&scene.kms, scene.call(of(&id))).await.unwrap();
        let key = reply.key_metadata;
        assert_eq!(
            (key.key_id.as_str(), key.alias.as_str(), key.description.as_str()),
            (&*id, "release", "")
        );
        assert_eq!((key.key_state.as_str(), key.key_usage.as_str()), ("Enabled", RSA));
        assert_eq!((key.r#type, key.owner.as_str(), key.origin.as_str()), (2, "user", "TENCENT_KMS"));
        assert_eq!(key.resource_id, format!("creatorUin/{}/{id}", ACCOUNT.uin));
        assert_eq!((key.creator_uin, key.creator_uin_string), (ACCOUNT.uin, ACCOUNT.uin.to_string()));
        assert_eq!((key.create_time, key.next_rotate_time, key.deletion_date), (NOW, 0, 0));
        assert!(!key.key_rotation_enabled);
    }

    #[tokio::test]
    async fn other_keys_are_refused() {
        let scene = Scene::new();
        let id = scene.create("release", RSA).await;
        for (key_id, code) in [
            (ABSENT, "ResourceUnavailable.CmkNotFound"),
            ("no-uuid", "InvalidParameterValue.InvalidKeyId"),
            ("*", "InvalidParameterValue.InvalidKeyId"),
        ] {
            let refusal = describe_key(&scene.kms, scene.call(of(key_id))).await.unwrap_err();
            assert_eq!(refusal.code().name(), code);
        }
        let mut elsewhere = scene.call(of(&id));
        elsewhere.region = "ap-beijing".to_owned();
        assert!(matches!(describe_key(&scene.kms, elsewhere).await, Err(Error::KeyNotFound(_))));
        let mut stranger = scene.call(of(&id));
        stranger.caller.account.uin += 1;
        assert!(matches!(describe_key(&scene.kms, stranger).await, Err(Error::KeyNotFound(_))));
        let member = MemberAccount { member_app_id: None, member_uin: Some(ACCOUNT.uin) };
        let request = DescribeKeyRequest { member_account: Some(member), ..of(&id) };
        let refusal = describe_key(&scene.kms, scene.call(request)).await.unwrap_err();
        assert_eq!(refusal.code().name(), "UnsupportedOperation");
    }

    #[test]
    fn the_resource_names_the_key() {
        let scene = Scene::new();
        assert_eq!(
            resources(&scene.kms, &scene.call(of(ABSENT))),
            [Resource::named(format!("key/creatorUin/*/{ABSENT}"))]
        );
    }
}
