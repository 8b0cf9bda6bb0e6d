//! `tcr:DescribeTagRetentionExecution`: the runs of a rule.

use rookery_api::tcr::{
    DescribeTagRetentionExecutionRequest, DescribeTagRetentionExecutionResponse, ErrorCode,
};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::paging;
use crate::tag_retention;

/// The newest first.
pub(crate) async fn describe_tag_retention_execution(
    tcr: &Tcr,
    call: Call<DescribeTagRetentionExecutionRequest>,
) -> Result<DescribeTagRetentionExecutionResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let rule = request.retention_id;
    let found = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::RETENTION)?;
        tag_retention::existing(view, &instance, rule, ErrorCode::InternalErrorErrNotExist)?;
        Ok::<_, Error>(tag_retention::executions(view, &instance, rule)?)
    })?;
    let page = paging::pages(request.offset, request.limit, found.len())?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let retention_execution_list = page.of(found).into_iter().map(|(id, row)| row.describe(id)).collect();
    Ok(DescribeTagRetentionExecutionResponse { retention_execution_list, total_count })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeTagRetentionExecutionRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
