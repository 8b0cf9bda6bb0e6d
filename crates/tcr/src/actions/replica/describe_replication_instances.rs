//! `tcr:DescribeReplicationInstances`: the replicas of an instance.

use rookery_api::tcr::{DescribeReplicationInstancesRequest, DescribeReplicationInstancesResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::paging;
use crate::replicas;

/// The oldest first.
pub(crate) async fn describe_replication_instances(
    tcr: &Tcr,
    call: Call<DescribeReplicationInstancesRequest>,
) -> Result<DescribeReplicationInstancesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let page = paging::records(request.offset, request.limit)?;
    let (instance, found) = tcr.store.read(|view| {
        let instance = instances::existing(view, &scope, &request.registry_id, instances::REPLICAS)?;
        let found = replicas::list(view, &instance)?;
        Ok::<_, Error>((instance, found))
    })?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let rows = page.of(found).into_iter().map(|(id, row)| row.describe(&instance, id, now));
    Ok(DescribeReplicationInstancesResponse { total_count, replication_registries: Some(rows.collect()) })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeReplicationInstancesRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
