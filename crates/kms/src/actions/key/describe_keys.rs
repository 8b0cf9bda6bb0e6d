//! `DescribeKeys`: everything about up to 100 keys but their material, in the order of the request.

use rookery_api::kms::{DescribeKeysRequest, DescribeKeysResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::error::Error;
use crate::keys::{KeyId, Keys};
use crate::{Kms, key_resources, listing};

pub(crate) fn resources(kms: &Kms, call: &Call<DescribeKeysRequest>) -> Vec<Resource> {
    key_resources(kms, call, &call.request.key_ids)
}

pub(crate) async fn describe_keys(
    kms: &Kms,
    call: Call<DescribeKeysRequest>,
) -> Result<DescribeKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let DescribeKeysRequest { key_ids, member_account } = call.request;
    let ids = listing::batch(&key_ids)?;
    listing::refuse_member(member_account.as_ref())?;
    let key_metadatas = kms.store.read(|view| {
        let metadata = |id: KeyId| match view.get::<Keys>(&scope, id.as_str())? {
            Some(key) => Ok(key.metadata(id.to_string())),
            None => Err(Error::KeyNotFound(id)),
        };
        ids.into_iter().map(metadata).collect::<Result<_, Error>>()
    })?;
    Ok(DescribeKeysResponse { key_metadatas })
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ABSENT, ACCOUNT, ECC, SYMMETRIC, Scene};

    fn of(ids: &[&str]) -> DescribeKeysRequest {
        DescribeKeysRequest { key_ids: ids.iter().map(|id| (*id).to_owned()).collect(), member_account: None }
    }

    #[tokio::test]
    async fn keys_are_described_in_the_order_of_the_request() {
        let scene = Scene::new();
        let (one, two) = (scene.create("one", SYMMETRIC).await, scene.create("two", ECC).await);
        let call = scene.call(of(&[&two, &one]));
        let named = |id: &str| Resource::named(format!("key/creatorUin/{}/{id}", ACCOUNT.uin));
        assert_eq!(resources(&scene.kms, &call), [named(&two), named(&one)]);
        let reply = describe_keys(&scene.kms, call).await.unwrap();
        let found: Vec<_> = reply.key_metadatas.iter().map(|key| (&*key.key_id, key.r#type)).collect();
        // SM4 is of the Chinese standard, P-256 of the other.
        assert_eq!(found, [(&*two, 2), (&*one, 4)]);
    }

    #[tokio::test]
    async fn lists_that_are_none_are_refused() {
        let scene = Scene::new();
        let id = scene.create("one", ECC).await;
        let many: Vec<_> = (0..101).map(|_| id.as_str()).collect();
        for (ids, code) in [
            (&[][..], "InvalidParameter"),
            (&many[..], "InvalidParameter"),
            (&[&*id, &*id], "InvalidParameterValue.DuplicatedKeyId"),
            (&[&*id, "x"], "InvalidParameterValue.InvalidKeyId"),
            (&[&*id, ABSENT], "ResourceUnavailable.CmkNotFound"),
        ] {
            let refusal = describe_keys(&scene.kms, scene.call(of(ids))).await.unwrap_err();
            assert_eq!(refusal.code().name(), code);
        }
        let member = rookery_api::kms::MemberAccount { member_app_id: None, member_uin: Some(1) };
        let request = DescribeKeysRequest { member_account: Some(member), ..of(&[&id]) };
        let refusal = describe_keys(&scene.kms, scene.call(request)).await.unwrap_err();
        assert_eq!(refusal.code().name(), "UnsupportedOperation");
    }
}
