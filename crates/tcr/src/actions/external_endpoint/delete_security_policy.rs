//! `tcr:DeleteSecurityPolicy`: one block less on the allow list.

use rookery_api::tcr::{DeleteSecurityPolicyRequest, DeleteSecurityPolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::external_endpoint::{self, ExternalEndpoints};
use crate::instances;

/// `CidrBlock` wins over `PolicyIndex`. A `PolicyVersion` that is not the list's own refuses the call: somebody has changed the list since.
pub(crate) async fn delete_security_policy(
    tcr: &Tcr,
    call: Call<DeleteSecurityPolicyRequest>,
) -> Result<DeleteSecurityPolicyResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let registry_id = request.registry_id.clone();
    tcr.change_access(move |tx| {
        let instance = instances::running(tx, &scope, &request.registry_id, now, instances::ENDPOINT)?;
        let mut row = external_endpoint::find(tx, &instance)?;
        let (block, version) = (request.cidr_block.as_deref(), request.policy_version.as_deref());
        row.remove(block, request.policy_index, version)?;
        row.version += 1;
        Ok(tx.put::<ExternalEndpoints>(&scope, &instance.id, &row)?)
    })
    .await?;
    Ok(DeleteSecurityPolicyResponse { registry_id })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteSecurityPolicyRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
