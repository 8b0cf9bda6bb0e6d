//! `cam:CreateSubAccountLoginIpPolicy`: from where sub-users may log in to the console, and whether unusual places ask for a proof.

use rookery_api::cam::{CreateSubAccountLoginIpPolicyRequest, CreateSubAccountLoginIpPolicyResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::safe_auth;
use crate::cam::settings::LoginIpPolicies;

/// `PolicyType` 1 replaces the networks, 2 sets the check of unusual places. It is kept for a console; there is none here yet, so
/// nothing is refused by it. Approvers cannot be asked here, so a request that names some is refused.
pub(crate) async fn create_sub_account_login_ip_policy(
    cam: &Cam,
    call: Call<CreateSubAccountLoginIpPolicyRequest>,
) -> Result<CreateSubAccountLoginIpPolicyResponse, Error> {
    let account = call.caller.account.uin;
    let request = call.request;
    let approver_type = request.approver_type.as_deref().unwrap_or_default();
    if !matches!(approver_type, "" | "SubAccountLoginLimitApproval")
        || request.approver_uin.is_some_and(|approvers| !approvers.is_empty())
    {
        return Err(Error::ApproverType);
    }
    let enabled = !names::flag("DisablePolicy", request.disable_policy)?.unwrap_or(false);
    let networks = safe_auth::networks(request.ip_policies.unwrap_or_default())?;
    let of_networks = match request.policy_type.unwrap_or(1) {
        1 => true,
        2 if networks.is_empty() => false,
        _ => {
            return Err(Error::Parameter {
                parameter: "PolicyType",
                rule: "must be 1, or 2 without networks",
            });
        }
    };
    cam.change(account, move |change| {
        let mut row = change.tx.get::<LoginIpPolicies>(&Global, &account)?.unwrap_or_default();
        if of_networks {
            row.networks.clone_from(&networks);
            row.enabled = enabled;
        } else {
            row.offsite_check = enabled;
        }
        Ok(change.tx.put::<LoginIpPolicies>(&Global, &account, &row)?)
    })
    .await?;
    Ok(CreateSubAccountLoginIpPolicyResponse::default())
}

pub(crate) fn resources(_: &Cam, _: &Call<CreateSubAccountLoginIpPolicyRequest>) -> Vec<Resource> {
    on_all()
}
