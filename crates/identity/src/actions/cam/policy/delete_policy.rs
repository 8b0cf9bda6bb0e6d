//! `cam:DeletePolicy`: ends custom policies, all of them or none; whoever had one has it no more.

use rookery_api::cam::{DeletePolicyRequest, DeletePolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_policy, scope};
use crate::cam::attachments;
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::policies::{self, Policies, PolicyVersions};

/// How many policies may be deleted at once. The platform's own number is not public.
const AT_ONCE: usize = 100;

/// A policy that is somebody's boundary is not deleted: without it, they could do more than before.
pub(crate) async fn delete_policy(
    cam: &Cam,
    call: Call<DeletePolicyRequest>,
) -> Result<DeletePolicyResponse, Error> {
    let scope = scope(&call);
    let ids = call.request.policy_id;
    if ids.is_empty() {
        return Err(Error::Parameter { parameter: "PolicyId", rule: "must not be empty" });
    }
    if ids.len() > AT_ONCE {
        return Err(Error::TooManyPolicies { limit: AT_ONCE });
    }
    cam.change(scope.uin, move |change| {
        for id in &ids {
            policies::custom(change.tx, scope.uin, *id)?;
            if attachments::boundaries(change.tx, scope.uin, *id)? > 0 {
                return Err(Error::PolicyIsBoundary { id: *id });
            }
            for (entity, _) in attachments::to(change.tx, scope.uin, *id)? {
                attachments::detach(change, scope.uin, entity, *id)?;
            }
            for (version, _) in policies::versions(change.tx, scope.uin, *id)? {
                change.tx.delete::<PolicyVersions>(&scope, &(*id, version))?;
            }
            change.tx.delete::<Policies>(&scope, id)?;
            change.note(Changed::Policy(*id));
        }
        Ok(())
    })
    .await?;
    Ok(DeletePolicyResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<DeletePolicyRequest>) -> Vec<Resource> {
    call.request.policy_id.iter().flat_map(|id| on_policy(*id)).collect()
}
