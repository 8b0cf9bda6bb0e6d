//! `cam:AttachRolePolicy`: attaches a policy to a role; it counts from the next request on.

use rookery_api::cam::{AttachRolePolicyRequest, AttachRolePolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::attachments::{self, AttachmentRow, Entity};
use crate::cam::error::Error;
use crate::cam::policies;
use crate::cam::roles::Wanted;

/// Role and policy each go by number or by name.
pub(crate) async fn attach_role_policy(
    cam: &Cam,
    call: Call<AttachRolePolicyRequest>,
) -> Result<AttachRolePolicyResponse, Error> {
    let account = call.caller.account.uin;
    let row = AttachmentRow::by(&call.caller, cam.world.unix_seconds());
    let request = call.request;
    let role = Wanted::read(request.attach_role_id, request.attach_role_name)?;
    let (number, name) = (request.policy_id, request.policy_name);
    cam.change(account, move |change| {
        let (id, found) = role.find(change.tx, account)?;
        if found.is_linked() {
            return Err(Error::LinkedRole { role: found.name });
        }
        let policy = policies::wanted(change.tx, account, number, name.as_deref())?;
        attachments::attach(change, account, Entity::Role(id), policy, &row)
    })
    .await?;
    Ok(AttachRolePolicyResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<AttachRolePolicyRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.attach_role_id.as_deref(), call.request.attach_role_name.as_deref())
}
