//! `cam:ListAttachedGroupPolicies`: the policies that are attached to a group itself.

use rookery_api::cam::{ListAttachedGroupPoliciesRequest, ListAttachedGroupPoliciesResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_group;
use crate::cam::attachments::{self, Entity};
use crate::cam::error::Error;
use crate::cam::groups;
use crate::cam::pages::{self, Keyword};

pub(crate) async fn list_attached_group_policies(
    cam: &Cam,
    call: Call<ListAttachedGroupPoliciesRequest>,
) -> Result<ListAttachedGroupPoliciesResponse, Error> {
    let account = call.caller.account.uin;
    let request = call.request;
    let keyword = Keyword::read(request.keyword)?;
    let mut policies = cam.store.read(|view| {
        groups::get(view, account, request.target_group_id)?;
        Ok::<_, Error>(attachments::infos(view, account, Entity::Group(request.target_group_id))?)
    })?;
    policies.retain(|(policy, _)| keyword.is_in(&policy.name));
    let (policies, total_num) = pages::numbered(policies, request.page, request.rp)?;
    Ok(ListAttachedGroupPoliciesResponse {
        total_num,
        list: policies.into_iter().map(attachments::info).collect(),
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<ListAttachedGroupPoliciesRequest>) -> Vec<Resource> {
    on_group(call.request.target_group_id)
}
