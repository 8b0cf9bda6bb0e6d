//! `sts:GetFederationToken`: a temporary key with the caller's rights, cut by a policy.

use rookery_api::sts::{GetFederationTokenRequest, GetFederationTokenResponse};
use rookery_gateway::{Call, Principal, Resource};

use crate::Cam;
use crate::sessions::Grant;
use crate::sts::error::Error;
use crate::sts::parameters;

/// The key ends with the permanent key that asked for it: when that is disabled or deleted, or its user, it opens nothing.
pub(crate) async fn get_federation_token(
    cam: &Cam,
    call: Call<GetFederationTokenRequest>,
) -> Result<GetFederationTokenResponse, Error> {
    let Call { request, caller, .. } = call;
    if caller.session.is_some() {
        return Err(Error::TemporaryKey);
    }
    let name = parameters::federation_name(&request.name)?;
    let policy = parameters::policy(&request.policy)?;
    let seconds = parameters::duration_for(&caller, request.duration_seconds)?;
    let issued_at = cam.world.unix_seconds();
    let expires_at = issued_at + seconds;
    let issued = cam.sessions.issue(Grant {
        account: caller.account,
        principal: Principal::Federated { uin: caller.uin(), name: name.into() },
        key: Some(caller.secret_id),
        issued_at,
        expires_at,
        policy: Some(policy),
        tags: Vec::new(),
        source_identity: None,
    })?;
    Ok(GetFederationTokenResponse {
        credentials: parameters::credentials(issued),
        expired_time: expires_at.unsigned_abs(),
        expiration: Some(parameters::expiration(expires_at)),
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<GetFederationTokenRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
