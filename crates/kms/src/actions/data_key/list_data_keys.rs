//! `ListDataKeys`: the ids of the data keys, newest first.

use rookery_api::kms::{DataKey, ListDataKeysRequest, ListDataKeysResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read as _, StoreError};

use crate::Kms;
use crate::data_keys::BySequence;
use crate::error::Error;
use crate::indexes::newest_first;
use crate::listing::{self, Page};

pub(crate) fn resources(_: &Kms, _: &Call<ListDataKeysRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn list_data_keys(
    kms: &Kms,
    call: Call<ListDataKeysRequest>,
) -> Result<ListDataKeysResponse, Error> {
    let scope = kms.enter(&call).await?;
    let ListDataKeysRequest { offset, limit, role, hsm_cluster_id } = call.request;
    let page = Page::read(offset, limit)?;
    listing::refuse_hsm_cluster(hsm_cluster_id.as_deref())?;
    if !listing::asks_for_users_keys(role)? {
        // No product makes data keys for its users here.
        return Ok(ListDataKeysResponse { data_keys: Vec::new(), total_count: 0 });
    }
    let (rows, total) = kms.store.read(|view| {
        let all = newest_first(&scope);
        let rows = view.scan_index::<BySequence>(all.clone().skip(page.offset).limit(page.limit))?;
        Ok::<_, StoreError>((rows, view.count_index::<BySequence>(all)?))
    })?;
    Ok(ListDataKeysResponse {
        data_keys: rows.into_iter().map(|(_, data_key_id, _)| DataKey { data_key_id }).collect(),
        total_count: total as u64,
    })
}
