//! `sts:AssumeRoleWithWebIdentity`: a temporary key of a role for who brings an OIDC token. Nobody signs the request.

use rookery_api::sts::{AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse};
use rookery_gateway::{Call, Resource};
use rookery_policy::Applicant;
use rookery_store::{Account as Scope, Read as _};

use crate::Cam;
use crate::cam::providers::OidcProviders;
use crate::sts::assuming::{Application, Session};
use crate::sts::error::Error;
use crate::sts::parameters;
use crate::sts::web_identity;

/// The provider is of the account that owns the role. Its conditions can speak of `oidc:iss`, `oidc:aud` and `oidc:sub`. Nothing is said
/// of roles before the token has verified.
pub(crate) async fn assume_role_with_web_identity(
    cam: &Cam,
    call: Call<AssumeRoleWithWebIdentityRequest>,
) -> Result<AssumeRoleWithWebIdentityResponse, Error> {
    let Call { request, circumstances, request_id, .. } = call;
    let account = cam.root().uin;
    let provider = cam
        .store
        .read(|view| view.get::<OidcProviders>(&Scope { uin: account }, request.provider_id.as_str()))?
        .ok_or(Error::Parameter { parameter: "ProviderId", rule: "must name an OIDC provider" })?;
    let claims = web_identity::verify(&request.web_identity_token, &provider, cam.world.unix_seconds())
        .map_err(Error::WebIdentity)?;
    parameters::session_name(&request.role_session_name)?;
    let role = cam.role(&request.role_arn)?;
    let arn = format!("qcs::cam::uin/{account}:oidc-provider/{}", request.provider_id);
    let mut facts = vec![("oidc:iss", claims.issuer), ("oidc:sub", claims.subject)];
    facts.extend(claims.audiences.into_iter().map(|audience| ("oidc:aud", audience)));
    let application = Application {
        action: "AssumeRoleWithWebIdentity",
        applicant: Applicant::Federated(&arn),
        claims: facts,
        circumstances,
        request_id,
    };
    let session = Session {
        name: request.role_session_name,
        // A negative number is no duration, as none is.
        duration: request.duration_seconds.map(|seconds| u64::try_from(seconds).unwrap_or(0)),
        policy: None,
        tags: Vec::new(),
        source_identity: None,
    };
    let (issued, expires_at) = cam.assume(&role, &application, session)?;
    Ok(AssumeRoleWithWebIdentityResponse {
        expired_time: expires_at.unsigned_abs(),
        expiration: parameters::expiration(expires_at),
        credentials: parameters::credentials(issued),
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<AssumeRoleWithWebIdentityRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
