//! `tcr:DescribeInstances`: the caller's instances in the call's region, or in all.

use rookery_api::tcr::{DescribeInstancesRequest, DescribeInstancesResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::StoreError;

use crate::Tcr;
use crate::cloud_tags::Filters;
use crate::error::Error;
use crate::instances::{self, Listed};
use crate::paging;

/// How many ids are looked up one by one; for more, the whole list is read once.
const LOOKED_UP: usize = 100;

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
    let listed = if request.all_region.unwrap_or(false) {
        Listed::Everywhere(scope.uin)
    } else {
        Listed::Region(&scope)
    };
    let (found, total) = tcr.store.read(|view| {
        if wanted.is_empty() && filters.is_empty() {
            return listed.page(view, page);
        }
        let mut found = if wanted.is_empty() || wanted.len() > LOOKED_UP {
            listed.all(view)?
        } else {
            listed.with_ids(view, &wanted)?
        };
        found.retain(|instance| {
            (wanted.is_empty() || wanted.contains(&instance.id))
                && filters.pass(&instance.row.name, &instance.row.tags)
        });
        let total = found.len();
        Ok::<_, StoreError>((page.of(found), total))
    })?;
    let registries = found.iter().map(|instance| instance.describe(&tcr.suffix, now)).collect();
    let total_count = i64::try_from(total).unwrap_or(i64::MAX);
    Ok(DescribeInstancesResponse { total_count, registries })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeInstancesRequest>) -> Vec<Resource> {
    match call.request.registryids.as_deref() {
        None | Some([]) => vec![Resource::any()],
        Some(ids) => ids.iter().map(|id| Resource::named(format!("instance/{id}"))).collect(),
    }
}
