//! `cam:ListAccessKeys`: the keys of a sub-user, or of the caller, without their secrets.

use rookery_api::cam::{AccessKey, ListAccessKeysRequest, ListAccessKeysResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::access_key_resources;
use crate::cam::error::Error;
use crate::cam::{access_keys, moments};

pub(crate) async fn list_access_keys(
    cam: &Cam,
    call: Call<ListAccessKeysRequest>,
) -> Result<ListAccessKeysResponse, Error> {
    let keys = cam.store.read(|view| {
        let uin = access_keys::target(view, &call.caller, call.request.target_uin)?;
        Ok::<_, Error>(access_keys::of(view, call.caller.account.uin, uin)?)
    })?;
    let keys = keys.into_iter().map(|(id, row)| AccessKey {
        access_key_id: id,
        status: if row.active { "Active" } else { "Inactive" }.to_owned(),
        create_time: moments::local(row.created_at),
        description: Some(row.description),
    });
    Ok(ListAccessKeysResponse { access_keys: Some(keys.collect()) })
}

pub(crate) fn resources(_: &Cam, call: &Call<ListAccessKeysRequest>) -> Vec<Resource> {
    access_key_resources(call, call.request.target_uin)
}
