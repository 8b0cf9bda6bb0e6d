//! `cam:AttachUserPolicy`: attaches a policy to a sub-user; it counts from the next request on.

use rookery_api::cam::{AttachUserPolicyRequest, AttachUserPolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::attachments::{self, AttachmentRow, Entity};
use crate::cam::error::Error;
use crate::cam::{policies, users};

pub(crate) async fn attach_user_policy(
    cam: &Cam,
    call: Call<AttachUserPolicyRequest>,
) -> Result<AttachUserPolicyResponse, Error> {
    let account = call.caller.account.uin;
    let row = AttachmentRow::by(&call.caller, cam.world.unix_seconds());
    let (policy_id, entity) = (call.request.policy_id, call.request.attach_uin);
    cam.change(account, move |change| {
        users::get(change.tx, account, entity)?;
        policies::get(change.tx, account, policy_id)?.ok_or(Error::NoSuchPolicy { id: policy_id })?;
        attachments::attach(change, account, Entity::User(entity), policy_id, &row)
    })
    .await?;
    Ok(AttachUserPolicyResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<AttachUserPolicyRequest>) -> Vec<Resource> {
    on_user(call.request.attach_uin)
}
