//! `GetServiceStatus`: whether the account has the service, and how much of it.
//!
//! Everybody has it, in its ordinary edition: nothing is bought, renewed or synchronised, and there are no clusters or members. The
//! rates are 0 because KMS itself sets none; those of the gateway are `rookery serve --rate-limits`.

use rookery_api::kms::{GetServiceStatusRequest, GetServiceStatusResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Kms;
use crate::data_keys;
use crate::error::Error;
use crate::indexes::oldest_first;
use crate::keys::{self, KEY_LIMIT};

/// `InvalidType` of a service that can be used.
const IN_ORDER: i64 = 1;
/// `UserLevel` of the ordinary edition.
const ORDINARY: u64 = 0;

pub(crate) fn resources(_: &Kms, _: &Call<GetServiceStatusRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn get_service_status(
    kms: &Kms,
    call: Call<GetServiceStatusRequest>,
) -> Result<GetServiceStatusResponse, Error> {
    let scope = kms.enter(&call).await?;
    let (keys, data_keys) = kms.store.read(|view| {
        let keys = view.count_index::<keys::BySequence>(oldest_first(&scope))?;
        let data_keys = view.count_index::<data_keys::BySequence>(oldest_first(&scope))?;
        Ok::<_, Error>((keys as u64, data_keys as u64))
    })?;
    Ok(GetServiceStatusResponse {
        service_enabled: true,
        invalid_type: IN_ORDER,
        user_level: ORDINARY,
        pro_expire_time: 0,
        pro_renew_flag: 0,
        pro_resource_id: String::new(),
        exclusive_vsm_enabled: false,
        exclusive_hsm_enabled: false,
        subscription_info: String::new(),
        cmk_user_count: keys,
        cmk_limit: KEY_LIMIT as u64,
        exclusive_hsm_list: Vec::new(),
        is_allowed_data_key_hosted: true,
        // What was bought; that nothing had to be is the next one.
        data_key_limit: 0,
        free_data_key_limit: data_keys::LIMIT as u64,
        data_key_used_count: data_keys,
        sync_task_list: Vec::new(),
        is_allowed_sync: false,
        qps_limit: 0,
        qps_total_limit: 0,
        regions_qps: Vec::new(),
        resource_zone: 0,
        resource_region: 0,
        multi_account_limit: 0,
        multi_account_used_count: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{ECC, Scene};

    #[tokio::test]
    async fn the_keys_of_the_account_in_the_region_are_counted() {
        let scene = Scene::new();
        scene.create("one", ECC).await;
        scene.create("two", ECC).await;
        let here = get_service_status(&scene.kms, scene.call(GetServiceStatusRequest {})).await.unwrap();
        assert!(here.service_enabled && here.is_allowed_data_key_hosted);
        assert_eq!((here.data_key_used_count, here.free_data_key_limit), (0, 10_000));
        assert_eq!((here.invalid_type, here.cmk_user_count, here.cmk_limit), (1, 2, 10_000));
        let mut elsewhere = scene.call(GetServiceStatusRequest {});
        elsewhere.region = "ap-beijing".to_owned();
        assert_eq!(get_service_status(&scene.kms, elsewhere).await.unwrap().cmk_user_count, 0);
    }
}
