//! Deleting an instance: its rows go in one transaction, from which on nobody can reach it; what the registry holds of it
//! follows, at the latest with the background work.

use rookery_registry::{CollectOptions, RegistryId};
use rookery_store::{Global, Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::Tcr;
use crate::attachments::Orphaned;
use crate::custom_domains::CustomDomains;
use crate::error::Error;
use crate::external_endpoint::ExternalEndpoints;
use crate::gc_jobs::GcJobs;
use crate::immutable_tags::ImmutableRules;
use crate::instance_keys::InstanceKeys;
use crate::instances::{Instance, Instances};
use crate::namespaces::Namespaces;
use crate::numbers::Numbers;
use crate::replicas::Replicas;
use crate::repositories::Repositories;
use crate::service_accounts::ServiceAccounts;
use crate::signature_policies::SignaturePolicies;
use crate::signatures::{ImageKey, Signatures};
use crate::signing_queue::SigningQueue;
use crate::sync_rules::SyncRules;
use crate::sync_runs::SyncRuns;
use crate::tag_retention::{RetentionExecutions, RetentionRules, RetentionTasks};
use crate::tokens::Tokens;
use crate::webhook_deliveries::WebhookDeliveries;
use crate::webhooks::WebhookTriggers;

/// Instances that are gone, and whose content may not be.
pub(crate) struct Removals;

/// What is kept of a deleted instance.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct RemovalRow {
    /// `DeleteBucket`: whether the bytes are freed at once, instead of at the next collection.
    pub(crate) delete_bucket: bool,
}

impl Table for Removals {
    const NAME: &'static str = "tcr.removals";
    type Scope = Global;
    type Key = String;
    type Row = RemovalRow;
}

/// Takes every row of an instance away, its own included, and notes that its content has to follow.
pub(crate) fn remove(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    delete_bucket: bool,
) -> Result<(), StoreError> {
    clear::<Namespaces, (String, String)>(tx, instance)?;
    clear::<Repositories, (String, String)>(tx, instance)?;
    clear::<Tokens, (String, String)>(tx, instance)?;
    clear::<SignaturePolicies, (String, String)>(tx, instance)?;
    clear::<ImmutableRules, (String, String)>(tx, instance)?;
    clear::<RetentionRules, (String, i64)>(tx, instance)?;
    clear::<RetentionExecutions, (String, i64)>(tx, instance)?;
    clear::<RetentionTasks, (String, i64, i64)>(tx, instance)?;
    clear::<Numbers, (String, String)>(tx, instance)?;
    clear::<ServiceAccounts, (String, String)>(tx, instance)?;
    clear::<CustomDomains, (String, String)>(tx, instance)?;
    clear::<GcJobs, (String, i64)>(tx, instance)?;
    clear::<Replicas, (String, String)>(tx, instance)?;
    clear::<SyncRules, (String, i64)>(tx, instance)?;
    clear::<SyncRuns, (String, i64)>(tx, instance)?;
    clear::<WebhookTriggers, (String, i64)>(tx, instance)?;
    clear::<WebhookDeliveries, (String, i64)>(tx, instance)?;
    tx.delete::<ExternalEndpoints>(&instance.scope, &instance.id)?;
    clear::<Signatures, ImageKey>(tx, instance)?;
    clear::<SigningQueue, ImageKey>(tx, instance)?;
    clear::<Orphaned, ImageKey>(tx, instance)?;
    tx.delete::<InstanceKeys>(&instance.scope, &instance.id)?;
    tx.delete::<Instances>(&instance.scope, &instance.id)?;
    tx.put::<Removals>(&Global, &instance.id, &RemovalRow { delete_bucket })
}

fn clear<T, K>(tx: &mut Transaction<'_>, instance: &Instance) -> Result<(), StoreError>
where
    T: Table<Scope = Regional, Key = K>,
    K: rookery_store::Key,
    str: rookery_store::Prefix<K>,
{
    for key in tx.scan_keys::<T>(&instance.scope, Scan::all().prefix(instance.id.as_str()))? {
        tx.delete::<T>(&instance.scope, &key)?;
    }
    Ok(())
}

impl Tcr {
    /// Removes what the registry holds of a deleted instance.
    pub(crate) async fn finish_removal(&self, id: &str, row: RemovalRow) -> Result<(), Error> {
        let registry = RegistryId::new(id);
        self.registry.remove_registry(&registry).await?;
        if row.delete_bucket {
            // Blobs that no repository holds go whatever their age; the age only spares what is being pushed elsewhere.
            let options =
                CollectOptions { older_than: Duration::HOUR, untagged_manifests: false, dry_run: false };
            self.registry.collect(&registry, options).await?;
        }
        let id = id.to_owned();
        Ok(self.store.write(move |tx| tx.delete::<Removals>(&Global, &id).map(drop)).await?)
    }

    /// The deleted instances whose content is still to go.
    pub(crate) fn unfinished_removals(&self) -> Result<Vec<(String, RemovalRow)>, StoreError> {
        self.store.read(|view| view.scan::<Removals>(&Global, Scan::all()))
    }
}
