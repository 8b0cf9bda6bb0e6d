//! `cam:ListAttachedRolePolicies`: the policies of a role.

use rookery_api::cam::{
    AttachedPolicyOfRole, ListAttachedRolePoliciesRequest, ListAttachedRolePoliciesResponse,
};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::attachments::{self, Entity};
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::pages::{self, Keyword};
use crate::cam::policies::BY_SYNTAX;
use crate::cam::roles::Wanted;

pub(crate) async fn list_attached_role_policies(
    cam: &Cam,
    call: Call<ListAttachedRolePoliciesRequest>,
) -> Result<ListAttachedRolePoliciesResponse, Error> {
    let account = call.caller.account.uin;
    let request = call.request;
    let role = Wanted::read(request.role_id, request.role_name)?;
    let keyword = Keyword::read(request.keyword)?;
    let kind = request.policy_type.filter(|kind| !kind.is_empty());
    if kind.as_deref().is_some_and(|kind| !matches!(kind, "User" | "QCS")) {
        return Err(Error::Parameter { parameter: "PolicyType", rule: "must be User or QCS" });
    }
    let mut policies = cam.store.read(|view| {
        let (id, _) = role.find(view, account)?;
        Ok::<_, Error>(attachments::infos(view, account, Entity::Role(id))?)
    })?;
    policies.retain(|(policy, _)| {
        keyword.is_in(&policy.name) && kind.as_deref().is_none_or(|kind| kind == policy.kind_name())
    });
    let (policies, total_num) = pages::numbered(policies, Some(request.page), Some(request.rp))?;
    let list = policies.into_iter().map(|(policy, row)| AttachedPolicyOfRole {
        policy_id: policy.id,
        policy_type: policy.kind_name().to_owned(),
        policy_name: policy.name,
        add_time: moments::local(row.at),
        create_mode: BY_SYNTAX,
        deactived: 0,
        deactived_detail: Vec::new(),
        description: policy.description,
    });
    Ok(ListAttachedRolePoliciesResponse { list: list.collect(), total_num })
}

pub(crate) fn resources(cam: &Cam, call: &Call<ListAttachedRolePoliciesRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.role_id.as_deref(), call.request.role_name.as_deref())
}
