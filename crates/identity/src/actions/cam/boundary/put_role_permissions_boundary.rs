//! `cam:PutRolePermissionsBoundary`: limits what a role may do to what a policy allows.

use rookery_api::cam::{PutRolePermissionsBoundaryRequest, PutRolePermissionsBoundaryResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::boundaries;
use crate::cam::error::Error;
use crate::cam::roles::Wanted;

pub(crate) async fn put_role_permissions_boundary(
    cam: &Cam,
    call: Call<PutRolePermissionsBoundaryRequest>,
) -> Result<PutRolePermissionsBoundaryResponse, Error> {
    let account = call.caller.account.uin;
    let policy = call.request.policy_id;
    let role = Wanted::read(call.request.role_id, call.request.role_name)?;
    cam.change(account, move |change| {
        let policy = boundaries::usable(change.tx, account, policy)?;
        boundaries::set_of_role(change, account, &role, Some(policy))
    })
    .await?;
    Ok(PutRolePermissionsBoundaryResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<PutRolePermissionsBoundaryRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.role_id.as_deref(), call.request.role_name.as_deref())
}
