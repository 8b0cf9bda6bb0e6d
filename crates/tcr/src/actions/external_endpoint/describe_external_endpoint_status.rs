//! `tcr:DescribeExternalEndpointStatus`: whether the public endpoint is open.

use rookery_api::tcr::{DescribeExternalEndpointStatusRequest, DescribeExternalEndpointStatusResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::external_endpoint;
use crate::instances;

/// `Opened` or `Closed`: nothing takes time here, so there is nothing in between and never a reason.
pub(crate) async fn describe_external_endpoint_status(
    tcr: &Tcr,
    call: Call<DescribeExternalEndpointStatusRequest>,
) -> Result<DescribeExternalEndpointStatusResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let id = call.request.registry_id;
    let row = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &id, now, instances::ENDPOINT)?;
        Ok::<_, Error>(external_endpoint::find(view, &instance)?)
    })?;
    Ok(DescribeExternalEndpointStatusResponse { status: row.status().to_owned(), reason: String::new() })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeExternalEndpointStatusRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
