//! `cam:CreatePolicyVersion`: another text of a policy, in force at once or later.

use rookery_api::cam::{CreatePolicyVersionRequest, CreatePolicyVersionResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_policy, scope};
use crate::cam::error::Error;
use crate::cam::{documents, policies};

pub(crate) async fn create_policy_version(
    cam: &Cam,
    call: Call<CreatePolicyVersionRequest>,
) -> Result<CreatePolicyVersionResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let CreatePolicyVersionRequest { policy_id, policy_document, set_as_default } = call.request;
    let document = documents::policy(&policy_document)?;
    let version_id = cam
        .change(scope.uin, move |change| {
            policies::add_version(change, scope.uin, policy_id, &document, set_as_default, now).map_err(
                |error| match error {
                    Error::NoPolicy { id } => Error::NoSuchPolicy { id },
                    error => error,
                },
            )
        })
        .await?;
    Ok(CreatePolicyVersionResponse { version_id })
}

pub(crate) fn resources(_: &Cam, call: &Call<CreatePolicyVersionRequest>) -> Vec<Resource> {
    on_policy(call.request.policy_id)
}
