//! `tcr:CreateGCJob`: free what no image names any more.

use rookery_api::tcr::{CreateGCJobRequest, CreateGCJobResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::gc_jobs::{self, JobRow, JobStatus};
use crate::instances;
use crate::numbers::{self, Kind};

/// An instance has one job at a time. Pushes, pulls and deletions go on meanwhile.
pub(crate) async fn create_gc_job(
    tcr: &Tcr,
    call: Call<CreateGCJobRequest>,
) -> Result<CreateGCJobResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let id = call.request.registry_id;
    let dry_run = call.request.gc_parameters.and_then(|parameters| parameters.dryrun).unwrap_or(false);
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::GC)?;
            if gc_jobs::open(tx, &instance)?.is_some() {
                return Err(Error::CollectionUnderWay);
            }
            let job = numbers::next(tx, &instance, Kind::GcJob)?;
            let row = JobRow { dry_run, created_at: now, updated_at: now, status: JobStatus::Pending };
            Ok(gc_jobs::add(tx, &instance, job, &row)?)
        })
        .await?;
    Ok(CreateGCJobResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateGCJobRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
