//! `cam:UpdateAccessKey`: enables or disables a key; it opens nothing from the next request on.

use rookery_api::cam::{UpdateAccessKeyRequest, UpdateAccessKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{access_key_resources, scope};
use crate::cam::access_keys::{self, AccessKeys};
use crate::cam::changes::Changed;
use crate::cam::error::Error;

pub(crate) async fn update_access_key(
    cam: &Cam,
    call: Call<UpdateAccessKeyRequest>,
) -> Result<UpdateAccessKeyResponse, Error> {
    let scope = scope(&call);
    let (caller, request) = (call.caller, call.request);
    let active = match request.status.as_str() {
        "Active" => true,
        "Inactive" => false,
        _ => return Err(Error::Parameter { parameter: "Status", rule: "must be Active or Inactive" }),
    };
    cam.change(scope.uin, move |change| {
        let id = &request.access_key_id;
        let uin = access_keys::target(change.tx, &caller, request.target_uin)?;
        let mut row = access_keys::get(change.tx, scope.uin, uin, id)?;
        row.active = active;
        change.tx.put::<AccessKeys>(&scope, id, &row)?;
        change.note(Changed::Key(id.clone()));
        Ok(())
    })
    .await?;
    Ok(UpdateAccessKeyResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<UpdateAccessKeyRequest>) -> Vec<Resource> {
    access_key_resources(call, call.request.target_uin)
}
