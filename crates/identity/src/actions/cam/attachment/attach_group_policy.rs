//! `cam:AttachGroupPolicy`: attaches a policy to a group; it counts from the next request on.

use rookery_api::cam::{AttachGroupPolicyRequest, AttachGroupPolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_group;
use crate::cam::attachments::{self, AttachmentRow, Entity};
use crate::cam::error::Error;
use crate::cam::{groups, policies};

pub(crate) async fn attach_group_policy(
    cam: &Cam,
    call: Call<AttachGroupPolicyRequest>,
) -> Result<AttachGroupPolicyResponse, Error> {
    let account = call.caller.account.uin;
    let row = AttachmentRow::by(&call.caller, cam.world.unix_seconds());
    let (policy_id, entity) = (call.request.policy_id, call.request.attach_group_id);
    cam.change(account, move |change| {
        groups::get(change.tx, account, entity)?;
        policies::get(change.tx, account, policy_id)?.ok_or(Error::NoSuchPolicy { id: policy_id })?;
        attachments::attach(change, account, Entity::Group(entity), policy_id, &row)
    })
    .await?;
    Ok(AttachGroupPolicyResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<AttachGroupPolicyRequest>) -> Vec<Resource> {
    on_group(call.request.attach_group_id)
}
