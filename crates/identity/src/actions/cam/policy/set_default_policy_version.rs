//! `cam:SetDefaultPolicyVersion`: which text of a policy is in force.

use rookery_api::cam::{SetDefaultPolicyVersionRequest, SetDefaultPolicyVersionResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_policy, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::policies::{self, Policies, PolicyVersions};

pub(crate) async fn set_default_policy_version(
    cam: &Cam,
    call: Call<SetDefaultPolicyVersionRequest>,
) -> Result<SetDefaultPolicyVersionResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let SetDefaultPolicyVersionRequest { policy_id, version_id } = call.request;
    cam.change(scope.uin, move |change| {
        let mut row = policies::custom(change.tx, scope.uin, policy_id)?;
        if !change.tx.contains::<PolicyVersions>(&scope, &(policy_id, version_id))? {
            return Err(Error::NoVersion { version: version_id });
        }
        if row.default_version == version_id {
            return Err(Error::DefaultVersion { version: version_id });
        }
        row.default_version = version_id;
        row.updated_at = now;
        change.tx.put::<Policies>(&scope, &policy_id, &row)?;
        change.note(Changed::Policy(policy_id));
        Ok(())
    })
    .await?;
    Ok(SetDefaultPolicyVersionResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<SetDefaultPolicyVersionRequest>) -> Vec<Resource> {
    on_policy(call.request.policy_id)
}
