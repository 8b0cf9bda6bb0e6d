//! `tcr:DescribeGCJobs`: the last ten jobs.

use rookery_api::tcr::{DescribeGCJobsRequest, DescribeGCJobsResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::gc_jobs;
use crate::instances;

/// The newest first.
pub(crate) async fn describe_gc_jobs(
    tcr: &Tcr,
    call: Call<DescribeGCJobsRequest>,
) -> Result<DescribeGCJobsResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let id = call.request.registry_id;
    let found = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &id, now, instances::GC)?;
        Ok::<_, Error>(gc_jobs::list(view, &instance)?)
    })?;
    Ok(DescribeGCJobsResponse { jobs: found.into_iter().map(|(id, row)| row.describe(id)).collect() })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeGCJobsRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
