//! `cam:DeletePolicyVersion`: takes texts away that are not in force, all of them or none.

use rookery_api::cam::{DeletePolicyVersionRequest, DeletePolicyVersionResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_policy, scope};
use crate::cam::error::Error;
use crate::cam::policies::{self, PolicyVersions};

pub(crate) async fn delete_policy_version(
    cam: &Cam,
    call: Call<DeletePolicyVersionRequest>,
) -> Result<DeletePolicyVersionResponse, Error> {
    let scope = scope(&call);
    let DeletePolicyVersionRequest { policy_id, version_id } = call.request;
    if version_id.is_empty() {
        return Err(Error::Parameter { parameter: "VersionId", rule: "must not be empty" });
    }
    cam.change(scope.uin, move |change| {
        let row = policies::custom(change.tx, scope.uin, policy_id)?;
        for version in &version_id {
            if *version == row.default_version {
                return Err(Error::DefaultVersion { version: *version });
            }
            if !change.tx.delete::<PolicyVersions>(&scope, &(policy_id, *version))? {
                return Err(Error::NoVersion { version: *version });
            }
        }
        Ok(())
    })
    .await?;
    Ok(DeletePolicyVersionResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<DeletePolicyVersionRequest>) -> Vec<Resource> {
    on_policy(call.request.policy_id)
}
