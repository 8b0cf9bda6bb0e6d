//! `tcr:DeleteMultipleSecurityPolicy`: blocks less on the allow list, all or none.

use rookery_api::tcr::{DeleteMultipleSecurityPolicyRequest, DeleteMultipleSecurityPolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::external_endpoint::{self, ExternalEndpoints};
use crate::instances;

/// Each is named as in `DeleteSecurityPolicy`.
pub(crate) async fn delete_multiple_security_policy(
    tcr: &Tcr,
    call: Call<DeleteMultipleSecurityPolicyRequest>,
) -> Result<DeleteMultipleSecurityPolicyResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let registry_id = request.registry_id.clone();
    if request.security_group_policy_set.is_empty() {
        return Err(Error::Missing("SecurityGroupPolicySet"));
    }
    tcr.change_access(move |tx| {
        let instance = instances::running(tx, &scope, &request.registry_id, now, instances::ENDPOINT)?;
        let mut row = external_endpoint::find(tx, &instance)?;
        let mut policies = request.security_group_policy_set.clone();
        // From the last index to the first, since each rule that goes moves those behind it.
        policies.sort_by_key(|policy| std::cmp::Reverse(policy.policy_index));
        for policy in &policies {
            let (block, version) = (policy.cidr_block.as_deref(), policy.policy_version.as_deref());
            row.remove(block, policy.policy_index, version)?;
        }
        row.version += 1;
        Ok(tx.put::<ExternalEndpoints>(&scope, &instance.id, &row)?)
    })
    .await?;
    Ok(DeleteMultipleSecurityPolicyResponse { registry_id })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteMultipleSecurityPolicyRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
