//! `cam:ListAttachedUserAllPolicies`: the policies of a sub-user, its own and those of its groups.

use std::collections::BTreeMap;

use rookery_api::cam::{
    AttachedUserPolicy, AttachedUserPolicyGroupInfo, ListAttachedUserAllPoliciesRequest,
    ListAttachedUserAllPoliciesResponse,
};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::attachments::{self, Entity};
use crate::cam::error::Error;
use crate::cam::pages::{self, Keyword};
use crate::cam::policies::{BY_SYNTAX, Policy};
use crate::cam::{groups, moments, users};

/// A policy with when it was attached first, and through which groups.
type Found = (Policy, i64, Vec<AttachedUserPolicyGroupInfo>);

pub(crate) async fn list_attached_user_all_policies(
    cam: &Cam,
    call: Call<ListAttachedUserAllPoliciesRequest>,
) -> Result<ListAttachedUserAllPoliciesResponse, Error> {
    let account = call.caller.account.uin;
    let request = call.request;
    let (direct, through_groups) = match request.attach_type {
        0 => (true, true),
        1 => (true, false),
        2 => (false, true),
        _ => return Err(Error::Parameter { parameter: "AttachType", rule: "must be 0, 1 or 2" }),
    };
    // Terraform sends 0 for what is not said.
    let strategy_type = request.strategy_type.filter(|kind| *kind != 0);
    if strategy_type.is_some_and(|kind| !matches!(kind, 1 | 2)) {
        return Err(Error::Parameter { parameter: "StrategyType", rule: "must be 1 or 2" });
    }
    let keyword = Keyword::read(request.keyword)?;
    let mut found = BTreeMap::new();
    cam.store.read(|view| {
        let uin = request.target_uin;
        users::get(view, account, uin)?;
        if direct {
            collect(view, account, Entity::User(uin), None, &mut found)?;
        }
        for group in if through_groups { groups::of_user(view, uin)? } else { Vec::new() } {
            let name = groups::get(view, account, group)?.name;
            collect(view, account, Entity::Group(group), Some(&name), &mut found)?;
        }
        Ok::<_, Error>(())
    })?;
    let mut policies: Vec<Found> = found.into_values().collect();
    policies.retain(|(policy, ..)| {
        keyword.is_in(&policy.name) && strategy_type.is_none_or(|kind| kind == policy.kind())
    });
    let (policies, total_num) = pages::numbered(policies, Some(request.page), Some(request.rp))?;
    let policy_list = policies.into_iter().map(|(policy, at, groups)| AttachedUserPolicy {
        policy_id: policy.id.to_string(),
        strategy_type: policy.kind().to_string(),
        policy_name: policy.name,
        description: policy.description,
        add_time: moments::local(at),
        create_mode: BY_SYNTAX.to_string(),
        groups,
        deactived: 0,
        deactived_detail: Vec::new(),
    });
    Ok(ListAttachedUserAllPoliciesResponse { policy_list: policy_list.collect(), total_num })
}

fn collect(
    view: &impl Read,
    account: u64,
    entity: Entity,
    group: Option<&str>,
    found: &mut BTreeMap<u64, Found>,
) -> Result<(), Error> {
    for (policy, row) in attachments::infos(view, account, entity)? {
        let (_, at, groups) = found.entry(policy.id).or_insert_with(|| (policy, row.at, Vec::new()));
        *at = row.at.min(*at);
        groups.extend(
            group.map(|name| AttachedUserPolicyGroupInfo {
                group_id: entity.id(),
                group_name: name.to_owned(),
            }),
        );
    }
    Ok(())
}

pub(crate) fn resources(_: &Cam, call: &Call<ListAttachedUserAllPoliciesRequest>) -> Vec<Resource> {
    on_user(call.request.target_uin)
}
