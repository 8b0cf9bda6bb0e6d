//! `cam:ListPolicies`: presets and custom policies, page by page.

use rookery_api::cam::{ListPoliciesRequest, ListPoliciesResponse, StrategyInfo, Tag};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, StoreError};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::attachments::{self, Entity};
use crate::cam::error::Error;
use crate::cam::pages::{self, Keyword};
use crate::cam::policies::{self, BY_SYNTAX, Policy};
use crate::cam::{documents, moments};

pub(crate) async fn list_policies(
    cam: &Cam,
    call: Call<ListPoliciesRequest>,
) -> Result<ListPoliciesResponse, Error> {
    let scope = scope(&call);
    let keyword = Keyword::read(call.request.keyword)?;
    let preset = match call.request.scope.as_deref() {
        None | Some("" | "All") => None,
        Some("QCS") => Some(true),
        Some("Local") => Some(false),
        Some(_) => return Err(Error::Scope),
    };
    cam.store.read(|view| {
        let mut policies = policies::all(view, scope.uin)?;
        policies.retain(|policy| {
            preset.is_none_or(|preset| policy.preset.is_some() == preset) && keyword.is_in(&policy.name)
        });
        let (policies, total_num) = pages::numbered(policies, call.request.page, call.request.rp)?;
        let list: Result<_, StoreError> =
            policies.into_iter().map(|policy| info(view, scope.uin, policy)).collect();
        // The platform keeps the last member for itself.
        Ok(ListPoliciesResponse { total_num, list: list?, service_type_list: Vec::new() })
    })
}

fn info(view: &impl Read, account: u64, policy: Policy) -> Result<StrategyInfo, StoreError> {
    let entities = attachments::to(view, account, policy.id)?;
    let users = entities.iter().filter(|(entity, _)| matches!(entity, Entity::User(_))).count();
    let whole = documents::actions(&policy.document)
        .iter()
        .any(|(allows, action)| *allows && (action == "*" || action.starts_with("*:")));
    Ok(StrategyInfo {
        policy_id: policy.id,
        r#type: policy.kind(),
        service_type: Some(policy.preset.map(|preset| preset.service.to_owned()).unwrap_or_default()),
        policy_name: policy.name,
        add_time: moments::local(policy.created_at),
        description: Some(policy.description),
        create_mode: BY_SYNTAX,
        attachments: users as u64,
        // Only told where a listing is about somebody.
        is_attached: None,
        deactived: Some(0),
        deactived_detail: Some(Vec::new()),
        is_service_linked_policy: Some(0),
        attach_entity_count: Some(i64::try_from(entities.len()).unwrap_or(i64::MAX)),
        attach_entity_boundary_count: Some(
            i64::try_from(attachments::boundaries(view, account, policy.id)?).unwrap_or(i64::MAX),
        ),
        update_time: Some(moments::local(policy.updated_at)),
        tags: policy.tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
        permission_level: if whole { "Global" } else { "CloudProduct" }.to_owned(),
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<ListPoliciesRequest>) -> Vec<Resource> {
    on_all()
}
