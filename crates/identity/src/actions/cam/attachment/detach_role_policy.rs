//! `cam:DetachRolePolicy`: detaches a policy from a role; it counts from the next request on.

use rookery_api::cam::{DetachRolePolicyRequest, DetachRolePolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::attachments::{self, Entity};
use crate::cam::error::Error;
use crate::cam::policies;
use crate::cam::roles::Wanted;

/// Role and policy each go by number or by name.
pub(crate) async fn detach_role_policy(
    cam: &Cam,
    call: Call<DetachRolePolicyRequest>,
) -> Result<DetachRolePolicyResponse, Error> {
    let account = call.caller.account.uin;
    let request = call.request;
    let role = Wanted::read(request.detach_role_id, request.detach_role_name)?;
    let (number, name) = (request.policy_id, request.policy_name);
    cam.change(account, move |change| {
        let (id, found) = role.find(change.tx, account)?;
        if found.is_linked() {
            return Err(Error::LinkedRole { role: found.name });
        }
        let policy = policies::wanted(change.tx, account, number, name.as_deref())?;
        attachments::detach(change, account, Entity::Role(id), policy)
    })
    .await?;
    Ok(DetachRolePolicyResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<DetachRolePolicyRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.detach_role_id.as_deref(), call.request.detach_role_name.as_deref())
}
