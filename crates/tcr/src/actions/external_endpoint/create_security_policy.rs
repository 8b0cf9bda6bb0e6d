//! `tcr:CreateSecurityPolicy`: one more block on the allow list.

use rookery_api::tcr::{CreateSecurityPolicyRequest, CreateSecurityPolicyResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::external_endpoint::{self, ExternalEndpoints};
use crate::instances;

/// `CidrBlock` is an address or a network. The list may be written before the endpoint is open.
pub(crate) async fn create_security_policy(
    tcr: &Tcr,
    call: Call<CreateSecurityPolicyRequest>,
) -> Result<CreateSecurityPolicyResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let registry_id = request.registry_id.clone();
    tcr.change_access(move |tx| {
        let instance = instances::running(tx, &scope, &request.registry_id, now, instances::ENDPOINT)?;
        let mut row = external_endpoint::find(tx, &instance)?;
        row.add("CidrBlock", &request.cidr_block, &request.description)?;
        row.version += 1;
        Ok(tx.put::<ExternalEndpoints>(&scope, &instance.id, &row)?)
    })
    .await?;
    Ok(CreateSecurityPolicyResponse { registry_id })
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateSecurityPolicyRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
