//! `tcr:DeleteInstance`: an instance and all that is in it.

use rookery_api::tcr::{DeleteInstanceRequest, DeleteInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::removals::{self, RemovalRow};
use crate::replicas;

/// The name, the rows and the links to layers go at once. The bytes of layers that nobody else holds go at once with `DeleteBucket`, else
/// with the next collection of garbage. With `DryRun` nothing goes: what would have succeeded is
/// `DryRunOperation`.
pub(crate) async fn delete_instance(
    tcr: &Tcr,
    call: Call<DeleteInstanceRequest>,
) -> Result<DeleteInstanceResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = request.registry_id;
    let dry_run = request.dry_run.unwrap_or(false);
    let removal = RemovalRow { delete_bucket: request.delete_bucket.unwrap_or(false) };
    let gone = id.clone();
    tcr.change_access(move |tx| {
        let instance = instances::existing(tx, &scope, &gone, instances::CONTENT)?;
        if instance.row.deletion_protection {
            return Err(Error::Protected(gone.clone()));
        }
        if !replicas::list(tx, &instance)?.is_empty() {
            return Err(Error::HasReplicas(gone.clone()));
        }
        if dry_run {
            return Err(Error::DryRun);
        }
        Ok(removals::remove(tx, &instance, removal.delete_bucket)?)
    })
    .await?;
    tcr.domains.refresh(&tcr.store)?;
    tcr.pull_listeners.refresh(&tcr.store)?;
    tcr.finish_removal(&id, removal).await?;
    Ok(DeleteInstanceResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteInstanceRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
