//! `tcr:DeleteReplicationRule`: copy nothing any more.

use rookery_api::tcr::{DeleteReplicationRuleRequest, DeleteReplicationRuleResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::sync_rules::{self, SyncRules};
use crate::sync_runs;

/// What waits to be copied goes with it, and the records. `Description` can only be why: it is written to the log.
pub(crate) async fn delete_replication_rule(
    tcr: &Tcr,
    call: Call<DeleteReplicationRuleRequest>,
) -> Result<DeleteReplicationRuleResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let (id, name) = (call.request.source_registry_id, call.request.rule_name);
    let (registry, rule, reason) = (id.clone(), name.clone(), call.request.description);
    tcr.store
        .write(move |tx| {
            let source = instances::running(tx, &scope, &id, now, instances::SYNC)?;
            let (rule, _) = sync_rules::existing(tx, &source, &name)?;
            sync_runs::delete_of(tx, &source, rule)?;
            tx.delete::<SyncRules>(&scope, &(id.clone(), rule))?;
            Ok::<_, Error>(())
        })
        .await?;
    tracing::info!(registry, rule, reason, "a synchronisation rule was deleted");
    Ok(DeleteReplicationRuleResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteReplicationRuleRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.source_registry_id)
}
