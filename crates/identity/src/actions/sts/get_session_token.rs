//! `sts:GetSessionToken`: a temporary key with the caller's own rights, for who brings a second factor.

use rookery_api::sts::{GetSessionTokenRequest, GetSessionTokenResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::sessions::Grant;
use crate::sts::error::Error;
use crate::sts::parameters;

/// The key ends with the permanent key that asked for it: when that is disabled or deleted, or its user, it opens nothing.
pub(crate) async fn get_session_token(
    cam: &Cam,
    call: Call<GetSessionTokenRequest>,
) -> Result<GetSessionTokenResponse, Error> {
    let Call { request, caller, .. } = call;
    if caller.session.is_some() {
        return Err(Error::TemporaryKey);
    }
    // A negative number is no duration, as none is.
    let asked = request.duration_seconds.map(|seconds| u64::try_from(seconds).unwrap_or(0));
    let seconds = parameters::duration_for(&caller, asked)?;
    cam.check_mfa(&caller, &request.serial_number, &request.token_code).await?;
    let issued_at = cam.world.unix_seconds();
    let expires_at = issued_at + seconds;
    let issued = cam.sessions.issue(Grant {
        account: caller.account,
        principal: caller.principal,
        key: Some(caller.secret_id),
        issued_at,
        expires_at,
        policy: None,
        tags: Vec::new(),
        source_identity: None,
    })?;
    Ok(GetSessionTokenResponse {
        credentials: parameters::credentials(issued),
        expired_time: expires_at.unsigned_abs(),
        expiration: parameters::expiration(expires_at),
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<GetSessionTokenRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
