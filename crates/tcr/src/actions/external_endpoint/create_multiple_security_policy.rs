//! `tcr:CreateMultipleSecurityPolicy`: more blocks on the allow list, all or none.

use rookery_api::tcr::{CreateMultipleSecurityPolicyRequest, CreateMultipleSecurityPolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::external_endpoint::{self, ExternalEndpoints};
use crate::instances;

/// Indexes and versions are the cloud's to give, and those of the request are not looked at.
pub(crate) async fn create_multiple_security_policy(
    tcr: &Tcr,
    call: Call<CreateMultipleSecurityPolicyRequest>,
) -> Result<CreateMultipleSecurityPolicyResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let registry_id = request.registry_id.clone();
    if request.security_group_policy_set.is_empty() {
        return Err(Error::Missing("SecurityGroupPolicySet"));
    }
    tcr.change_access(move |tx| {
        let instance = instances::running(tx, &scope, &request.registry_id, now, instances::ENDPOINT)?;
        let mut row = external_endpoint::find(tx, &instance)?;
        for policy in &request.security_group_policy_set {
            let block = policy.cidr_block.as_deref().unwrap_or_default();
            let description = policy.description.as_deref().unwrap_or_default();
            row.add("SecurityGroupPolicySet.CidrBlock", block, description)?;
        }
        row.version += 1;
        Ok(tx.put::<ExternalEndpoints>(&scope, &instance.id, &row)?)
    })
    .await?;
    Ok(CreateMultipleSecurityPolicyResponse { registry_id })
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateMultipleSecurityPolicyRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
