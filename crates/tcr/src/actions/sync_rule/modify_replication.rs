//! `tcr:ModifyReplication`: change a rule of synchronisation, or switch it on or off.

use rookery_api::tcr::{ModifyReplicationRequest, ModifyReplicationResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::sync_rules::{self, SyncRules};

/// What the request does not name stays as it is.
pub(crate) async fn modify_replication(
    tcr: &Tcr,
    call: Call<ModifyReplicationRequest>,
) -> Result<ModifyReplicationResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let (id, name, change) = (request.source_registry_id, request.rule_name, request.rule);
    if let Some(namespace) = &change.dest_namespace {
        sync_rules::check_namespace(namespace)?;
    }
    let filters = change.filters.as_deref().map(sync_rules::read_filters).transpose()?;
    let description = request.description;
    tcr.store
        .write(move |tx| {
            let source = instances::running(tx, &scope, &id, now, instances::SYNC)?;
            let (rule, mut row) = sync_rules::existing(tx, &source, &name)?;
            if let Some(namespace) = &change.dest_namespace {
                row.namespace.clone_from(namespace);
            }
            if let Some(filters) = &filters {
                row.filters.clone_from(filters);
            }
            if let Some(description) = &description {
                row.description.clone_from(description);
            }
            row.replaces = change.r#override.unwrap_or(row.replaces);
            row.deletes = change.deletion.unwrap_or(row.deletes);
            row.enabled = change.enabled.unwrap_or(row.enabled);
            row.updated_at = now;
            Ok::<_, Error>(tx.put::<SyncRules>(&scope, &(id.clone(), rule), &row)?)
        })
        .await?;
    Ok(ModifyReplicationResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyReplicationRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.source_registry_id)
}
