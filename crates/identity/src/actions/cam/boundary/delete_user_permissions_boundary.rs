//! `cam:DeleteUserPermissionsBoundary`: lifts the limit of a sub-user.

use rookery_api::cam::{DeleteUserPermissionsBoundaryRequest, DeleteUserPermissionsBoundaryResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::boundaries;
use crate::cam::error::Error;

pub(crate) async fn delete_user_permissions_boundary(
    cam: &Cam,
    call: Call<DeleteUserPermissionsBoundaryRequest>,
) -> Result<DeleteUserPermissionsBoundaryResponse, Error> {
    let (account, uin) = (call.caller.account.uin, call.request.target_uin);
    cam.change(account, move |change| boundaries::set_of_user(change, account, uin, None)).await?;
    Ok(DeleteUserPermissionsBoundaryResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<DeleteUserPermissionsBoundaryRequest>) -> Vec<Resource> {
    on_user(call.request.target_uin.unsigned_abs())
}
