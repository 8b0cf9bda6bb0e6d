//! `cam:GetRolePermissionBoundary`: the policy that limits a role.

use rookery_api::cam::{GetRolePermissionBoundaryRequest, GetRolePermissionBoundaryResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::boundaries::Shown;
use crate::cam::error::Error;
use crate::cam::roles::Wanted;

/// All members are null where there is no boundary, which is how Terraform learns that it is gone.
pub(crate) async fn get_role_permission_boundary(
    cam: &Cam,
    call: Call<GetRolePermissionBoundaryRequest>,
) -> Result<GetRolePermissionBoundaryResponse, Error> {
    let account = call.caller.account.uin;
    let wanted = Wanted::Id(call.request.role_id);
    let shown = cam.store.read(|view| {
        let (_, role) = wanted.find(view, account)?;
        Shown::read(view, account, role.boundary)
    })?;
    let Shown { policy_id, policy_name, policy_document, policy_type, create_mode } = shown;
    Ok(GetRolePermissionBoundaryResponse {
        policy_id,
        policy_name,
        policy_document,
        policy_type,
        create_mode,
    })
}

pub(crate) fn resources(cam: &Cam, call: &Call<GetRolePermissionBoundaryRequest>) -> Vec<Resource> {
    on_role(cam, call, Some(&call.request.role_id), None)
}
