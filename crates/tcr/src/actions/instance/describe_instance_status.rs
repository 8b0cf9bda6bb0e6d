//! `tcr:DescribeInstanceStatus`: the state of given instances.

use rookery_api::tcr::{
    DescribeInstanceStatusRequest, DescribeInstanceStatusResponse, RegistryCondition, RegistryStatus,
};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Tcr;
use crate::error::Error;
use crate::instances::{self, Instances};

/// In the order asked for; ids that are not there are left out. The one condition repeats the state, as in the documented example.
pub(crate) async fn describe_instance_status(
    tcr: &Tcr,
    call: Call<DescribeInstanceStatusRequest>,
) -> Result<DescribeInstanceStatusResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let mut set = Vec::new();
    for registry_id in call.request.registry_ids {
        let row = tcr.store.read(|view| view.get::<Instances>(&scope, registry_id.as_str()))?;
        let Some(row) = row else { continue };
        let status = row.status(now).name().to_owned();
        let condition =
            RegistryCondition { r#type: String::new(), status: status.clone(), reason: String::new() };
        set.push(RegistryStatus { registry_id, status, conditions: vec![condition] });
    }
    Ok(DescribeInstanceStatusResponse { registry_status_set: Some(set) })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeInstanceStatusRequest>) -> Vec<Resource> {
    call.request.registry_ids.iter().map(|id| Resource::named(format!("instance/{id}"))).collect()
}
