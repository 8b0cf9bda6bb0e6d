//! `cam:CreateAccessKey`: a key of a sub-user, or of the caller. The secret is shown here and never again.

use rookery_api::cam::{AccessKeyDetail, CreateAccessKeyRequest, CreateAccessKeyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::access_key_resources;
use crate::cam::access_keys::{self, Fresh};
use crate::cam::error::Error;
use crate::cam::{moments, names};

pub(crate) async fn create_access_key(
    cam: &Cam,
    call: Call<CreateAccessKeyRequest>,
) -> Result<CreateAccessKeyResponse, Error> {
    let (account, now) = (call.caller.account.uin, cam.world.unix_seconds());
    let described = call.request.description.is_some();
    let description = names::key_description(call.request.description)?;
    let caller = call.caller;
    let named = call.request.target_uin;
    let uin = cam.store.read(|view| access_keys::target(view, &caller, named))?;
    let fresh = Fresh::make(&cam.seal, uin, description.clone(), now)?;
    let row = fresh.row();
    cam.change(account, move |change| {
        access_keys::target(change.tx, &caller, named)?;
        access_keys::keep(change, account, &row)
    })
    .await?;
    Ok(CreateAccessKeyResponse {
        access_key: Some(AccessKeyDetail {
            access_key_id: fresh.id,
            secret_access_key: fresh.secret.as_str().to_owned(),
            status: "Active".to_owned(),
            create_time: moments::local(now),
            description: described.then_some(description),
        }),
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<CreateAccessKeyRequest>) -> Vec<Resource> {
    access_key_resources(call, call.request.target_uin)
}
