//! `tcr:DescribeInstanceCustomizedDomain`: the hosts that users have bound.

use rookery_api::tcr::{DescribeInstanceCustomizedDomainRequest, DescribeInstanceCustomizedDomainResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::custom_domains;
use crate::error::Error;
use crate::instances;
use crate::paging;

/// The oldest first.
pub(crate) async fn describe_instance_customized_domain(
    tcr: &Tcr,
    call: Call<DescribeInstanceCustomizedDomainRequest>,
) -> Result<DescribeInstanceCustomizedDomainResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let page = paging::records(request.offset, request.limit)?;
    let (instance, found) = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::DOMAINS)?;
        let found = custom_domains::list(view, &instance)?;
        Ok::<_, Error>((instance, found))
    })?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let rows = page.of(found).into_iter().map(|(domain, row)| row.describe(&instance, domain));
    Ok(DescribeInstanceCustomizedDomainResponse { domain_info_list: rows.collect(), total_count })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeInstanceCustomizedDomainRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
