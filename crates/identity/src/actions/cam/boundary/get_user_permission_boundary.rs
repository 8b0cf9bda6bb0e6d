//! `cam:GetUserPermissionBoundary`: the policy that limits a sub-user.

use rookery_api::cam::{GetUserPermissionBoundaryRequest, GetUserPermissionBoundaryResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::boundaries::{self, Shown};
use crate::cam::error::Error;
use crate::cam::users;

/// All members are null where there is no boundary, which is how Terraform learns that it is gone.
pub(crate) async fn get_user_permission_boundary(
    cam: &Cam,
    call: Call<GetUserPermissionBoundaryRequest>,
) -> Result<GetUserPermissionBoundaryResponse, Error> {
    let account = call.caller.account.uin;
    let shown = cam.store.read(|view| {
        let user = users::get(view, account, boundaries::uin(call.request.target_uin)?)?;
        Shown::read(view, account, user.boundary)
    })?;
    let Shown { policy_id, policy_name, policy_document, policy_type, create_mode } = shown;
    Ok(GetUserPermissionBoundaryResponse {
        policy_id,
        policy_name,
        policy_document,
        policy_type,
        create_mode,
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<GetUserPermissionBoundaryRequest>) -> Vec<Resource> {
    on_user(call.request.target_uin.unsigned_abs())
}
