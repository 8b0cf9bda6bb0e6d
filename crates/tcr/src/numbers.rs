//! The numbers that the rules, runs, triggers and deliveries of an instance are known by: counted from 1 for each kind, and never used
//! again.

use rookery_store::{Read, Regional, StoreError, Table, Transaction};

use crate::instances::Instance;

/// The last number of each kind, by instance and kind.
pub(crate) struct Numbers;

impl Table for Numbers {
    const NAME: &'static str = "tcr.numbers";
    type Scope = Regional;
    type Key = (String, String);
    type Row = i64;
}

/// What has numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    ImmutableRule,
    RetentionRule,
    RetentionExecution,
    RetentionTask,
    WebhookTrigger,
    WebhookDelivery,
    GcJob,
    SyncRule,
    SyncRun,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::ImmutableRule => "immutable-rule",
            Self::RetentionRule => "retention-rule",
            Self::RetentionExecution => "retention-execution",
            Self::RetentionTask => "retention-task",
            Self::WebhookTrigger => "webhook-trigger",
            Self::WebhookDelivery => "webhook-delivery",
            Self::GcJob => "gc-job",
            Self::SyncRule => "sync-rule",
            Self::SyncRun => "sync-run",
        }
    }
}

/// The next number of a kind in an instance.
pub(crate) fn next(tx: &mut Transaction<'_>, instance: &Instance, kind: Kind) -> Result<i64, StoreError> {
    let key = (instance.id.clone(), kind.name().to_owned());
    let number = tx.get::<Numbers>(&instance.scope, &key)?.unwrap_or(0) + 1;
    tx.put::<Numbers>(&instance.scope, &key, &number)?;
    Ok(number)
}
