//! `cam:DeleteAccessKey`: ends a key; it opens nothing from the next request on.

use rookery_api::cam::{DeleteAccessKeyRequest, DeleteAccessKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::access_key_resources;
use crate::cam::access_keys;
use crate::cam::error::Error;

/// An enabled key is deleted as well: Terraform deletes without disabling first.
pub(crate) async fn delete_access_key(
    cam: &Cam,
    call: Call<DeleteAccessKeyRequest>,
) -> Result<DeleteAccessKeyResponse, Error> {
    let account = call.caller.account.uin;
    let (caller, request) = (call.caller, call.request);
    let id = request.access_key_id.clone();
    cam.change(account, move |change| {
        let uin = access_keys::target(change.tx, &caller, request.target_uin)?;
        access_keys::get(change.tx, account, uin, &request.access_key_id)?;
        access_keys::remove(change, account, &request.access_key_id)
    })
    .await?;
    cam.uses.forget(&id);
    Ok(DeleteAccessKeyResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<DeleteAccessKeyRequest>) -> Vec<Resource> {
    access_key_resources(call, call.request.target_uin)
}
