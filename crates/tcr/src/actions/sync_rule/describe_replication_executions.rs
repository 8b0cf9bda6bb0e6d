//! `tcr:DescribeReplicationExecutions`: what the rules of synchronisation have done.

use rookery_api::tcr::{
    DescribeReplicationExecutionsRequest, DescribeReplicationExecutionsResponse, ErrorCode,
};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances;
use crate::paging;
use crate::sync_runs;

const REPLICA: Rule =
    Rule { english: "must be empty: replicas have nothing to copy here", chinese: "须为空：复制实例无需同步" };

/// The newest first: of one rule, or of all. A run is about one tag.
pub(crate) async fn describe_replication_executions(
    tcr: &Tcr,
    call: Call<DescribeReplicationExecutionsRequest>,
) -> Result<DescribeReplicationExecutionsResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    if request.replication_instance_id.is_some_and(|id| !id.is_empty()) {
        let code = ErrorCode::InvalidParameterErrorTcrInvalidParameter;
        return Err(Error::Invalid { parameter: "ReplicationInstanceId", rule: REPLICA, code });
    }
    let page = paging::hundreds(request.page, request.page_size)?;
    let found = tcr.store.read(|view| {
        let source = instances::running(view, &scope, &request.registry_id, now, instances::SYNC_LISTS)?;
        Ok::<_, Error>(sync_runs::list(view, &source, request.policy_id)?)
    })?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let rows = page.of(found).into_iter().map(|(id, row)| row.describe(id));
    Ok(DescribeReplicationExecutionsResponse { replication_execution_list: Some(rows.collect()), total_count })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeReplicationExecutionsRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
