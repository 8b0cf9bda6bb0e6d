//! `tcr:CreateTagRetentionExecution`: carry a rule out now.

use rookery_api::tcr::{CreateTagRetentionExecutionRequest, CreateTagRetentionExecutionResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::retention_runs;
use crate::tag_retention;

/// Also where the rule is disabled, which only stops the calendar. With `DryRun` the parts of the run say what would stay, and nothing
/// goes. The run begins after the reply.
pub(crate) async fn create_tag_retention_execution(
    tcr: &Tcr,
    call: Call<CreateTagRetentionExecutionRequest>,
) -> Result<CreateTagRetentionExecutionResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let (id, rule, dry_run) = (request.registry_id, request.retention_id, request.dry_run.unwrap_or(false));
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::RETENTION)?;
            tag_retention::existing(tx, &instance, rule, ErrorCode::InternalErrorErrNotExist)?;
            if retention_runs::is_under_way(tx, &instance, rule)? {
                return Err(Error::ExecutionUnderWay(rule));
            }
            Ok(retention_runs::ask(tx, &instance, rule, dry_run, now).map(drop)?)
        })
        .await?;
    Ok(CreateTagRetentionExecutionResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateTagRetentionExecutionRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
