//! `tcr:DescribeTagRetentionRules`: the rules of an instance or of one namespace.

use rookery_api::tcr::{DescribeTagRetentionRulesRequest, DescribeTagRetentionRulesResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::paging;
use crate::tag_retention;

/// The oldest first.
pub(crate) async fn describe_tag_retention_rules(
    tcr: &Tcr,
    call: Call<DescribeTagRetentionRulesRequest>,
) -> Result<DescribeTagRetentionRulesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let namespace = request.namespace_name.filter(|name| !name.is_empty());
    let found = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::RETENTION)?;
        Ok::<_, Error>(tag_retention::list(view, &instance, namespace.as_deref())?)
    })?;
    let page = paging::pages(request.offset, request.limit, found.len())?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let retention_policy_list = page.of(found).into_iter().map(|(id, row)| row.describe(id)).collect();
    Ok(DescribeTagRetentionRulesResponse { retention_policy_list, total_count })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeTagRetentionRulesRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
