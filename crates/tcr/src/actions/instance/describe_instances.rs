//! `tcr:DescribeInstances`: the caller's instances in the call's region, or in all.

use rookery_api::tcr::{DescribeInstancesRequest, DescribeInstancesResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::cloud_tags::Filters;
use crate::error::Error;
use crate::instances;
use crate::paging;

/// The newest first. Ids that are not there are left out: clients take an empty list for "gone".
pub(crate) async fn describe_instances(
    tcr: &Tcr,
    call: Call<DescribeInstancesRequest>,
) -> Result<DescribeInstancesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let page = paging::records(request.offset, request.limit)?;
    let filters = Filters::from_request(request.filters, true)?;
    let wanted = request.registryids.unwrap_or_default();
    let all_regions = request.all_region.unwrap_or(false);
    let mut found = tcr.store.read(|view| instances::list(view, &scope, all_regions))?;
    found.retain(|instance| {
        (wanted.is_empty() || wanted.contains(&instance.id))
            && filters.pass(&instance.row.name, &instance.row.tags)
    });
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let registries = page.of(found).iter().map(|instance| instance.describe(&tcr.suffix, now)).collect();
    Ok(DescribeInstancesResponse { total_count, registries })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeInstancesRequest>) -> Vec<Resource> {
    match call.request.registryids.as_deref() {
        None | Some([]) => vec![Resource::any()],
        Some(ids) => ids.iter().map(|id| Resource::named(format!("instance/{id}"))).collect(),
    }
}
