//! `cam:GetPolicy`: one policy with the text in force.

use rookery_api::cam::{GetPolicyRequest, GetPolicyResponse, Tag};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_policy, scope};
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::policies::{self, PresetAliases};

pub(crate) async fn get_policy(cam: &Cam, call: Call<GetPolicyRequest>) -> Result<GetPolicyResponse, Error> {
    let (scope, id) = (scope(&call), call.request.policy_id);
    let (policy, alias) = cam.store.read(|view| {
        let policy = policies::get(view, scope.uin, id)?.ok_or(Error::NoPolicy { id })?;
        Ok::<_, Error>((policy, view.get::<PresetAliases>(&scope, &id)?))
    })?;
    Ok(GetPolicyResponse {
        r#type: policy.kind(),
        policy_name: policy.name,
        description: policy.description,
        add_time: moments::local(policy.created_at),
        update_time: moments::local(policy.updated_at),
        policy_document: policy.document,
        preset_alias: Some(alias.unwrap_or_default()),
        // Service-linked roles get no policies of their own here.
        is_service_linked_role_policy: 0,
        tags: policy.tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<GetPolicyRequest>) -> Vec<Resource> {
    on_policy(call.request.policy_id)
}
