//! `ListKeys`: the ids of the keys that are enabled, disabled or wait for material, newest first.

use rookery_api::kms::{Key, ListKeysRequest, ListKeysResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Kms;
use crate::error::Error;
use crate::indexes::newest_first;
use crate::keys::BySequence;
use crate::listing::{self, Page};
use crate::states::KeyState;

pub(crate) fn resources(_: &Kms, _: &Call<ListKeysRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn list_keys(kms: &Kms, call: Call<ListKeysRequest>) -> Result<ListKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let ListKeysRequest { offset, limit, role, hsm_cluster_id } = call.request;
    let page = Page::read(offset, limit)?;
    listing::refuse_hsm_cluster(hsm_cluster_id.as_deref())?;
    if !listing::asks_for_users_keys(role)? {
        // No product makes keys for its users here.
        return Ok(ListKeysResponse { keys: Vec::new(), total_count: 0 });
    }
    let all = kms.store.read(|view| view.scan_index::<BySequence>(newest_first(&scope)))?;
    let listed = |state| matches!(state, KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport);
    let ids: Vec<_> = all.into_iter().filter(|(_, _, key)| listed(key.state)).map(|(_, id, _)| id).collect();
    Ok(ListKeysResponse {
        total_count: ids.len() as u64,
        keys: ids.into_iter().skip(page.offset).take(page.limit).map(|key_id| Key { key_id }).collect(),
    })
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal;

    use super::*;
    use crate::scene::{ECC, Scene};

    fn everything() -> ListKeysRequest {
        ListKeysRequest { offset: None, limit: None, role: None, hsm_cluster_id: None }
    }

    async fn ids(scene: &Scene, request: ListKeysRequest) -> (Vec<String>, u64) {
        let reply = list_keys(&scene.kms, scene.call(request)).await.unwrap();
        (reply.keys.into_iter().map(|key| key.key_id).collect(), reply.total_count)
    }

    #[tokio::test]
    async fn pages_follow_the_order_of_creation_newest_first() {
        let scene = Scene::new();
        let mut made = Vec::new();
        for at in 0..12 {
            made.push(scene.create(&format!("key-{at}"), ECC).await);
        }
        made.reverse();
        assert_eq!(ids(&scene, everything()).await, (made[..10].to_vec(), 12));
        let rest = ListKeysRequest { offset: Some(10), limit: Some(200), ..everything() };
        assert_eq!(ids(&scene, rest).await, (made[10..].to_vec(), 12));
        let beyond = ListKeysRequest { offset: Some(u64::MAX), role: Some(0), ..everything() };
        assert_eq!(ids(&scene, beyond).await, (Vec::new(), 12));
        let none = ListKeysRequest { limit: Some(0), hsm_cluster_id: Some(String::new()), ..everything() };
        assert_eq!(ids(&scene, none).await, (Vec::new(), 12));
        let products = ListKeysRequest { role: Some(1), ..everything() };
        assert_eq!(ids(&scene, products).await, (Vec::new(), 0));
    }

    #[tokio::test]
    async fn keys_of_other_accounts_and_regions_are_not_listed() {
        let scene = Scene::new();
        scene.create("mine", ECC).await;
        let mut elsewhere = scene.call(everything());
        elsewhere.region = "ap-beijing".to_owned();
        assert_eq!(list_keys(&scene.kms, elsewhere).await.unwrap().total_count, 0);
        let mut stranger = scene.call(everything());
        stranger.caller.account.uin += 1;
        assert_eq!(list_keys(&scene.kms, stranger).await.unwrap().total_count, 0);
    }

    #[tokio::test]
    async fn what_no_list_has_is_refused() {
        let scene = Scene::new();
        for (request, code) in [
            (ListKeysRequest { limit: Some(201), ..everything() }, "InvalidParameter"),
            (ListKeysRequest { role: Some(2), ..everything() }, "InvalidParameter"),
            (
                ListKeysRequest { hsm_cluster_id: Some("cls-1".to_owned()), ..everything() },
                "InvalidParameterValue.InvalidHsmClusterId",
            ),
        ] {
            let refusal = list_keys(&scene.kms, scene.call(request)).await.unwrap_err();
            assert_eq!(refusal.code().name(), code);
        }
    }
}
