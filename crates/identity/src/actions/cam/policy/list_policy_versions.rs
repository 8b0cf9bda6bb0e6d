//! `cam:ListPolicyVersions`: the versions of a policy.

use rookery_api::cam::{ListPolicyVersionsRequest, ListPolicyVersionsResponse, PolicyVersionItem};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_policy, scope};
use crate::cam::error::Error;
use crate::cam::{moments, policies};

pub(crate) async fn list_policy_versions(
    cam: &Cam,
    call: Call<ListPolicyVersionsRequest>,
) -> Result<ListPolicyVersionsResponse, Error> {
    let scope = scope(&call);
    let (default, versions) =
        cam.store.read(|view| policies::history(view, scope.uin, call.request.policy_id))?;
    let versions = versions.into_iter().map(|(version, row)| PolicyVersionItem {
        version_id: version,
        create_date: moments::utc(row.created_at),
        is_default_version: i64::from(version == default),
    });
    Ok(ListPolicyVersionsResponse { versions: versions.collect() })
}

pub(crate) fn resources(_: &Cam, call: &Call<ListPolicyVersionsRequest>) -> Vec<Resource> {
    on_policy(call.request.policy_id)
}
