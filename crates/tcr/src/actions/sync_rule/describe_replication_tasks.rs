//! `tcr:DescribeReplicationTasks`: the parts of a run of synchronisation.

use rookery_api::tcr::{DescribeReplicationTasksRequest, DescribeReplicationTasksResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::paging;
use crate::sync_runs;

/// A run is about one tag, so it has one part.
pub(crate) async fn describe_replication_tasks(
    tcr: &Tcr,
    call: Call<DescribeReplicationTasksRequest>,
) -> Result<DescribeReplicationTasksResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let page = paging::hundreds(request.page, request.page_size)?;
    let execution = request.execution_id;
    let found = tcr.store.read(|view| {
        let source = instances::running(view, &scope, &request.registry_id, now, instances::SYNC_LISTS)?;
        let found = sync_runs::list(view, &source, None)?.into_iter().find(|(id, _)| *id == execution);
        found.ok_or(Error::NoExecution(execution))
    })?;
    let rows = page.of([found]).into_iter().map(|(id, row)| row.describe_task(id));
    Ok(DescribeReplicationTasksResponse { replication_task_list: Some(rows.collect()), total_count: 1 })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeReplicationTasksRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
