//! `cam:DetachUserPolicy`: detaches a policy from a sub-user; it counts from the next request on.

use rookery_api::cam::{DetachUserPolicyRequest, DetachUserPolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::attachments::{self, Entity};
use crate::cam::error::Error;
use crate::cam::{policies, users};

pub(crate) async fn detach_user_policy(
    cam: &Cam,
    call: Call<DetachUserPolicyRequest>,
) -> Result<DetachUserPolicyResponse, Error> {
    let account = call.caller.account.uin;
    let (policy_id, entity) = (call.request.policy_id, call.request.detach_uin);
    cam.change(account, move |change| {
        users::get(change.tx, account, entity)?;
        policies::get(change.tx, account, policy_id)?.ok_or(Error::NoSuchPolicy { id: policy_id })?;
        attachments::detach(change, account, Entity::User(entity), policy_id)
    })
    .await?;
    Ok(DetachUserPolicyResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<DetachUserPolicyRequest>) -> Vec<Resource> {
    on_user(call.request.detach_uin)
}
