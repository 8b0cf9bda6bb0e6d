//! `tcr:DescribeTagRetentionExecutionTask`: what a run did in each repository.

use rookery_api::tcr::{
    DescribeTagRetentionExecutionTaskRequest, DescribeTagRetentionExecutionTaskResponse, ErrorCode,
};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::paging;
use crate::tag_retention;

/// In the order of the repositories' names. A repository that the rule does not mean has no row.
pub(crate) async fn describe_tag_retention_execution_task(
    tcr: &Tcr,
    call: Call<DescribeTagRetentionExecutionTaskRequest>,
) -> Result<DescribeTagRetentionExecutionTaskResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let (rule, execution) = (request.retention_id, request.execution_id);
    let found = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::RETENTION)?;
        tag_retention::existing(view, &instance, rule, ErrorCode::InternalErrorErrNotExist)?;
        let runs = tag_retention::executions(view, &instance, rule)?;
        if !runs.iter().any(|(id, _)| *id == execution) {
            return Err(Error::NoExecution(execution));
        }
        Ok(tag_retention::tasks(view, &instance, execution)?)
    })?;
    let page = paging::pages(request.offset, request.limit, found.len())?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let retention_task_list = page.of(found).into_iter().map(|(id, row)| row.describe(execution, id)).collect();
    Ok(DescribeTagRetentionExecutionTaskResponse { retention_task_list, total_count })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeTagRetentionExecutionTaskRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
