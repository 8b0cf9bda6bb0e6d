//! `cam:PutUserPermissionsBoundary`: limits what a sub-user may do to what a policy allows.

use rookery_api::cam::{PutUserPermissionsBoundaryRequest, PutUserPermissionsBoundaryResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::boundaries;
use crate::cam::error::Error;

pub(crate) async fn put_user_permissions_boundary(
    cam: &Cam,
    call: Call<PutUserPermissionsBoundaryRequest>,
) -> Result<PutUserPermissionsBoundaryResponse, Error> {
    let account = call.caller.account.uin;
    let (uin, policy) = (call.request.target_uin, call.request.policy_id);
    cam.change(account, move |change| {
        let policy = boundaries::usable(change.tx, account, policy)?;
        boundaries::set_of_user(change, account, uin, Some(policy))
    })
    .await?;
    Ok(PutUserPermissionsBoundaryResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<PutUserPermissionsBoundaryRequest>) -> Vec<Resource> {
    on_user(call.request.target_uin.unsigned_abs())
}
