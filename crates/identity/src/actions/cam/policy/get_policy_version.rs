//! `cam:GetPolicyVersion`: one text of a policy.

use rookery_api::cam::{GetPolicyVersionRequest, GetPolicyVersionResponse, PolicyVersionDetail};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_policy, scope};
use crate::cam::error::Error;
use crate::cam::{moments, policies};

pub(crate) async fn get_policy_version(
    cam: &Cam,
    call: Call<GetPolicyVersionRequest>,
) -> Result<GetPolicyVersionResponse, Error> {
    let scope = scope(&call);
    let GetPolicyVersionRequest { policy_id, version_id } = call.request;
    let (default, versions) = cam.store.read(|view| policies::history(view, scope.uin, policy_id))?;
    let found = versions.into_iter().find(|(version, _)| *version == version_id);
    let (version, row) = found.ok_or(Error::NoVersion { version: version_id })?;
    Ok(GetPolicyVersionResponse {
        policy_version: PolicyVersionDetail {
            version_id: Some(version),
            create_date: Some(moments::utc(row.created_at)),
            is_default_version: Some(u64::from(version == default)),
            document: Some(row.document),
        },
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<GetPolicyVersionRequest>) -> Vec<Resource> {
    on_policy(call.request.policy_id)
}
