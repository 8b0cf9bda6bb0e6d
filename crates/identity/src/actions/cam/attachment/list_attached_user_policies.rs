//! `cam:ListAttachedUserPolicies`: the policies that are attached to a sub-user itself.

use rookery_api::cam::{ListAttachedUserPoliciesRequest, ListAttachedUserPoliciesResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::attachments::{self, Entity};
use crate::cam::error::Error;
use crate::cam::pages;
use crate::cam::users;

pub(crate) async fn list_attached_user_policies(
    cam: &Cam,
    call: Call<ListAttachedUserPoliciesRequest>,
) -> Result<ListAttachedUserPoliciesResponse, Error> {
    let account = call.caller.account.uin;
    let request = call.request;
    let policies = cam.store.read(|view| {
        users::get(view, account, request.target_uin)?;
        Ok::<_, Error>(attachments::infos(view, account, Entity::User(request.target_uin))?)
    })?;
    let (policies, total_num) = pages::numbered(policies, request.page, request.rp)?;
    Ok(ListAttachedUserPoliciesResponse {
        total_num,
        list: policies.into_iter().map(attachments::info).collect(),
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<ListAttachedUserPoliciesRequest>) -> Vec<Resource> {
    on_user(call.request.target_uin)
}
