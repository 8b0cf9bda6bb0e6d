//! `tcr:DescribeReplicationPolicies`: the rules of synchronisation of an instance.

use rookery_api::tcr::{DescribeReplicationPoliciesRequest, DescribeReplicationPoliciesResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::paging;
use crate::sync_rules;

/// Those whose source it is, the oldest first.
pub(crate) async fn describe_replication_policies(
    tcr: &Tcr,
    call: Call<DescribeReplicationPoliciesRequest>,
) -> Result<DescribeReplicationPoliciesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let page = paging::hundreds(request.page, request.page_size)?;
    let (source, found) = tcr.store.read(|view| {
        let source = instances::running(view, &scope, &request.registry_id, now, instances::SYNC_LISTS)?;
        let found = sync_rules::list(view, &source)?;
        Ok::<_, Error>((source, found))
    })?;
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let rows = page.of(found).into_iter().map(|(id, row)| row.describe(&source, id));
    Ok(DescribeReplicationPoliciesResponse {
        replication_policy_info_list: Some(rows.collect()),
        total_count: Some(total),
    })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeReplicationPoliciesRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
