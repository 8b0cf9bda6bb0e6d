//! `sts:GetCallerIdentity`: who am I.

use rookery_api::products::sts::{GetCallerIdentityRequest, GetCallerIdentityResponse};
use rookery_gateway::{Call, Principal, Resource};

use crate::Cam;
use crate::sts::error::Error;

/// The examples show sub-users and roles only; a root answers here as the user that it also is: its own uin everywhere.
pub(crate) async fn get_caller_identity(
    _: &Cam,
    call: Call<GetCallerIdentityRequest>,
) -> Result<GetCallerIdentityResponse, Error> {
    let caller = &call.caller;
    let r#type = match caller.principal {
        Principal::Root | Principal::User { .. } | Principal::Anonymous => "CAMUser",
        Principal::Role { .. } => "CAMRole",
        Principal::Federated { .. } => "CAMFederatedUser",
    };
    Ok(GetCallerIdentityResponse {
        arn: caller.arn(),
        account_id: caller.account.uin.to_string(),
        user_id: caller.user_id(),
        principal_id: caller.uin().to_string(),
        r#type: r#type.to_owned(),
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<GetCallerIdentityRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
