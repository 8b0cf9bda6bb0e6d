//! `tcr:DescribeReplicationInstanceCreateTasks`: how far the creation of a replica is.

use rookery_api::tcr::{
    DescribeReplicationInstanceCreateTasksRequest, DescribeReplicationInstanceCreateTasksResponse,
};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::replicas::{self, Replicas};

/// Both names have to be those of one replica. Its creation is one task here, since there is nothing to copy.
pub(crate) async fn describe_replication_instance_create_tasks(
    tcr: &Tcr,
    call: Call<DescribeReplicationInstanceCreateTasksRequest>,
) -> Result<DescribeReplicationInstanceCreateTasksResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let (replica, region) = (call.request.replication_registry_id, call.request.replication_region_id);
    let instance = replicas::instance_of(&replica).to_owned();
    let found = tcr.store.read(|view| view.get::<Replicas>(&scope, &(instance, replica.clone())))?;
    let Some(row) = found.filter(|row| row.region_id == region) else {
        return Err(Error::NoReplica(replica));
    };
    let task = row.creation(&replica, now);
    let status = task.task_status.clone();
    Ok(DescribeReplicationInstanceCreateTasksResponse { task_detail: vec![task], status })
}

pub(crate) fn resources(
    _: &Tcr,
    call: &Call<DescribeReplicationInstanceCreateTasksRequest>,
) -> Vec<Resource> {
    actions::on_instance(replicas::instance_of(&call.request.replication_registry_id))
}
