//! `cam:DeleteRolePermissionsBoundary`: lifts the limit of a role.

use rookery_api::cam::{DeleteRolePermissionsBoundaryRequest, DeleteRolePermissionsBoundaryResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::boundaries;
use crate::cam::error::Error;
use crate::cam::roles::Wanted;

pub(crate) async fn delete_role_permissions_boundary(
    cam: &Cam,
    call: Call<DeleteRolePermissionsBoundaryRequest>,
) -> Result<DeleteRolePermissionsBoundaryResponse, Error> {
    let account = call.caller.account.uin;
    let role = Wanted::read(call.request.role_id, call.request.role_name)?;
    cam.change(account, move |change| boundaries::set_of_role(change, account, &role, None)).await?;
    Ok(DeleteRolePermissionsBoundaryResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<DeleteRolePermissionsBoundaryRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.role_id.as_deref(), call.request.role_name.as_deref())
}
