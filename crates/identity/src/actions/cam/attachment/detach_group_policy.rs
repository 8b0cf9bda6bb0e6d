//! `cam:DetachGroupPolicy`: detaches a policy from a group; it counts from the next request on.

use rookery_api::cam::{DetachGroupPolicyRequest, DetachGroupPolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_group;
use crate::cam::attachments::{self, Entity};
use crate::cam::error::Error;
use crate::cam::{groups, policies};

pub(crate) async fn detach_group_policy(
    cam: &Cam,
    call: Call<DetachGroupPolicyRequest>,
) -> Result<DetachGroupPolicyResponse, Error> {
    let account = call.caller.account.uin;
    let (policy_id, entity) = (call.request.policy_id, call.request.detach_group_id);
    cam.change(account, move |change| {
        groups::get(change.tx, account, entity)?;
        policies::get(change.tx, account, policy_id)?.ok_or(Error::NoSuchPolicy { id: policy_id })?;
        attachments::detach(change, account, Entity::Group(entity), policy_id)
    })
    .await?;
    Ok(DetachGroupPolicyResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<DetachGroupPolicyRequest>) -> Vec<Resource> {
    on_group(call.request.detach_group_id)
}
