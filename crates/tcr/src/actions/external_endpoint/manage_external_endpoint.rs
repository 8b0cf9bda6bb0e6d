//! `tcr:ManageExternalEndpoint`: open or close the public endpoint.

use rookery_api::tcr::{ErrorCode, ManageExternalEndpointRequest, ManageExternalEndpointResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::external_endpoint::{self, ExternalEndpoints};
use crate::instances;

const OPERATION: Rule = Rule { english: "must be `Create` or `Delete`", chinese: "取值须为Create或Delete" };

/// It is open, or closed, when the reply comes; the allow list stays as it is.
pub(crate) async fn manage_external_endpoint(
    tcr: &Tcr,
    call: Call<ManageExternalEndpointRequest>,
) -> Result<ManageExternalEndpointResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let registry_id = request.registry_id.clone();
    let open = match request.operation.as_str() {
        "Create" => true,
        "Delete" => false,
        _ => {
            let code = ErrorCode::InvalidParameter;
            return Err(Error::Invalid { parameter: "Operation", rule: OPERATION, code });
        }
    };
    tcr.change_access(move |tx| {
        let instance = instances::running(tx, &scope, &request.registry_id, now, instances::ENDPOINT)?;
        let mut row = external_endpoint::find(tx, &instance)?;
        row.open = open;
        Ok(tx.put::<ExternalEndpoints>(&scope, &instance.id, &row)?)
    })
    .await?;
    Ok(ManageExternalEndpointResponse { registry_id })
}

pub(crate) fn resources(_: &Tcr, call: &Call<ManageExternalEndpointRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
