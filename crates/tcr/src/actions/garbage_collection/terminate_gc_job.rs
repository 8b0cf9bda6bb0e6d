//! `tcr:TerminateGCJob`: stop the job that runs.

use rookery_api::tcr::{TerminateGCJobRequest, TerminateGCJobResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::gc_jobs::{self, GcJobs, JobRow, JobStatus};
use crate::instances;

/// What it has freed until then is gone. Without a job the reply says so; it is no error of the call.
pub(crate) async fn terminate_gc_job(
    tcr: &Tcr,
    call: Call<TerminateGCJobRequest>,
) -> Result<TerminateGCJobResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let id = call.request.registry_id;
    let stopped = tcr
        .store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::GC_END)?;
            let Some((job, row)) = gc_jobs::open(tx, &instance)? else { return Ok::<_, Error>(None) };
            let (key, status) = ((id.clone(), job), JobStatus::Stopped);
            tx.put::<GcJobs>(&scope, &key, &JobRow { status, updated_at: now, ..row })?;
            Ok(Some(key))
        })
        .await?;
    let (status, message) = match stopped {
        Some(key) => {
            tcr.collections.cancel(&key);
            ("success", "GC job stopped successfully")
        }
        None => ("error", "no GC job is running"),
    };
    Ok(TerminateGCJobResponse { status: status.to_owned(), message: message.to_owned() })
}

pub(crate) fn resources(_: &Tcr, call: &Call<TerminateGCJobRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
