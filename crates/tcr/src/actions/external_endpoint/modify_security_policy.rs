//! `tcr:ModifySecurityPolicy`: another block, or other words, in the place of a rule.

use rookery_api::tcr::{ModifySecurityPolicyRequest, ModifySecurityPolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::external_endpoint::{self, ExternalEndpoints};
use crate::instances;

pub(crate) async fn modify_security_policy(
    tcr: &Tcr,
    call: Call<ModifySecurityPolicyRequest>,
) -> Result<ModifySecurityPolicyResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let registry_id = request.registry_id.clone();
    tcr.change_access(move |tx| {
        let instance = instances::running(tx, &scope, &request.registry_id, now, instances::ENDPOINT)?;
        let mut row = external_endpoint::find(tx, &instance)?;
        row.change(request.policy_index, &request.cidr_block, &request.description)?;
        row.version += 1;
        Ok(tx.put::<ExternalEndpoints>(&scope, &instance.id, &row)?)
    })
    .await?;
    Ok(ModifySecurityPolicyResponse { registry_id })
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifySecurityPolicyRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
