//! `sts:AssumeRole`: a temporary key of a role.

use rookery_api::sts::{AssumeRoleRequest, AssumeRoleResponse};
use rookery_gateway::{Call, Principal, Resource};
use rookery_policy::Applicant;

use crate::Cam;
use crate::sts::assuming::{Application, Session};
use crate::sts::error::Error;
use crate::sts::{parameters, role_names};

/// Beside the permission for it, the role's trust policy has to trust the caller: as a whole (`…:root`), by number, or as a role.
pub(crate) async fn assume_role(
    cam: &Cam,
    call: Call<AssumeRoleRequest>,
) -> Result<AssumeRoleResponse, Error> {
    let Call { request, caller, circumstances, request_id, .. } = call;
    let role = cam.role(&request.role_arn)?;
    parameters::session_name(&request.role_session_name)?;
    let external_id = parameters::external_id(request.external_id.as_deref())?;
    let policy = request.policy.as_deref().filter(|text| !text.is_empty());
    let session = Session {
        name: request.role_session_name,
        duration: request.duration_seconds,
        policy: policy.map(parameters::policy).transpose()?,
        tags: parameters::tags(request.tags)?,
        source_identity: parameters::source_identity(request.source_identity, &caller)?,
    };
    let (serial, code) = (request.serial_number.as_deref(), request.token_code.as_deref());
    cam.check_mfa_if_named(&caller, serial, code).await?;
    let account = caller.account.uin;
    let applicant = match &caller.principal {
        Principal::Root => Applicant::Root { account },
        Principal::User { uin, .. } => Applicant::User { account, uin: *uin },
        Principal::Role { id, name, .. } => Applicant::Role { account, id, name },
        // A federated user is nobody whom a trust policy could name.
        Principal::Federated { .. } | Principal::Anonymous => return Err(Error::TemporaryKey),
    };
    let mut claims = Vec::new();
    claims.extend(external_id.map(|id| ("sts:external_id", id.to_owned())));
    claims.extend(session.source_identity.clone().map(|identity| ("qcs:source_identity", identity)));
    claims.extend(session.tags.iter().map(|(key, value)| ("qcs:request_tag", format!("{key}&{value}"))));
    let application = Application { action: "AssumeRole", applicant, claims, circumstances, request_id };
    let (issued, expired_time) = cam.assume(&role, &application, session)?;
    Ok(AssumeRoleResponse {
        credentials: parameters::credentials(issued),
        expired_time,
        expiration: parameters::expiration(expired_time),
    })
}

/// The role, by its name; where there is none, only who may assume any role is told so.
pub(crate) fn resources(cam: &Cam, call: &Call<AssumeRoleRequest>) -> Vec<Resource> {
    let found = role_names::RoleArn::parse(&call.request.role_arn)
        .and_then(|arn| cam.store.read(|view| arn.find(view)).ok().flatten());
    vec![found.map_or_else(Resource::any, |role| Resource::whole(role.resource()).tagged(role.row.tags))]
}
