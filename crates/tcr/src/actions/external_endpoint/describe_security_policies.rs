//! `tcr:DescribeSecurityPolicies`: the allow list.

use rookery_api::tcr::{DescribeSecurityPoliciesRequest, DescribeSecurityPoliciesResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::external_endpoint;
use crate::instances;

/// In the order of the indexes. The version is that of the list as a whole.
pub(crate) async fn describe_security_policies(
    tcr: &Tcr,
    call: Call<DescribeSecurityPoliciesRequest>,
) -> Result<DescribeSecurityPoliciesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let id = call.request.registry_id;
    let row = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &id, now, instances::ENDPOINT)?;
        Ok::<_, Error>(external_endpoint::find(view, &instance)?)
    })?;
    Ok(DescribeSecurityPoliciesResponse { security_policy_set: Some(row.describe()) })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeSecurityPoliciesRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
