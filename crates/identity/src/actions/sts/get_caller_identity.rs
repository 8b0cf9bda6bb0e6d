//! `sts:GetCallerIdentity`: who am I.

use rookery_api::products::sts::{GetCallerIdentityRequest, GetCallerIdentityResponse};
use rookery_gateway::{Call, Principal, Resource};

use crate::Cam;
use crate::error::Error;

/// The examples show sub-users and roles only; a root answers here as the user that it also is: its own uin everywhere.
pub(crate) async fn get_caller_identity(
    _: &Cam,
    call: Call<GetCallerIdentityRequest>,
) -> Result<GetCallerIdentityResponse, Error> {
    let (owner, uin) = (call.caller.account.uin, call.caller.uin());
    let r#type = match call.caller.principal {
        Principal::Root => "CAMUser",
    };
    Ok(GetCallerIdentityResponse {
        arn: format!("qcs::cam:{owner}:uin/{uin}"),
        account_id: owner.to_string(),
        user_id: uin.to_string(),
        principal_id: uin.to_string(),
        r#type: r#type.to_owned(),
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<GetCallerIdentityRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
