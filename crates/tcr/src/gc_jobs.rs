//! Jobs that collect garbage (`tcr.md` §1.13): a row each, worked off in the background by the registry's collector, with no read-only
//! window. A job that a process did not finish is begun again by the next.

use std::collections::HashMap;

use parking_lot::Mutex;
use rookery_api::tcr::{GCJobInfo, Schedule};
use rookery_registry::{CollectOptions, Collection, Ending, Phase, RegistryId, Whose};
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::Tcr;
use crate::error::Error;
use crate::instances::Instance;
use crate::moments::Moment;

/// Jobs that an instance remembers, and `DescribeGCJobs` shows.
const REMEMBERED: usize = 10;

/// `(instance, number)`.
pub(crate) type JobKey = (String, i64);

/// The jobs of an instance.
pub(crate) struct GcJobs;

/// What is kept of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JobRow {
    pub(crate) dry_run: bool,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    pub(crate) status: JobStatus,
}

/// `JobStatus`, in the words of the platform's ancestor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobStatus {
    Pending,
    Running,
    Finished,
    Error,
    Stopped,
}

impl JobStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Error => "error",
            Self::Stopped => "stopped",
        }
    }

    fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

impl Table for GcJobs {
    const NAME: &'static str = "tcr.gc-jobs";
    type Scope = Regional;
    type Key = JobKey;
    type Row = JobRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&OpenJobs];
}

/// The jobs that are not over.
pub(crate) struct OpenJobs;

impl Index for OpenJobs {
    type Table = GcJobs;
    type Value = bool;
    const NAME: &'static str = "open";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &JobKey, row: &JobRow) -> Option<bool> {
        row.status.is_open().then_some(true)
    }
}

impl JobRow {
    /// The job as replies show it.
    pub(crate) fn describe(&self, id: i64) -> GCJobInfo {
        GCJobInfo {
            id,
            job_status: self.status.name().to_owned(),
            creation_time: self.created_at.utc_with_fraction(),
            update_time: self.updated_at.utc_with_fraction(),
            schedule: Schedule { r#type: if self.dry_run { "Dryrun" } else { "Manual" }.to_owned() },
        }
    }
}

/// The jobs of an instance, the newest first.
pub(crate) fn list(read: &impl Read, instance: &Instance) -> Result<Vec<(i64, JobRow)>, StoreError> {
    let scan = Scan::all().prefix(instance.id.as_str()).reverse();
    let rows = read.scan::<GcJobs>(&instance.scope, scan)?;
    Ok(rows.into_iter().map(|((_, id), row)| (id, row)).collect())
}

/// The job of an instance that is not over.
pub(crate) fn open(read: &impl Read, instance: &Instance) -> Result<Option<(i64, JobRow)>, StoreError> {
    Ok(list(read, instance)?.into_iter().find(|(_, row)| row.status.is_open()))
}

/// Keeps a new job, and forgets those beyond what is shown.
pub(crate) fn add(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    id: i64,
    row: &JobRow,
) -> Result<(), StoreError> {
    tx.put::<GcJobs>(&instance.scope, &(instance.id.clone(), id), row)?;
    for (old, _) in list(tx, instance)?.into_iter().skip(REMEMBERED) {
        tx.delete::<GcJobs>(&instance.scope, &(instance.id.clone(), old))?;
    }
    Ok(())
}

/// The collections under way in this process.
#[derive(Default)]
pub(crate) struct Collections(Mutex<HashMap<JobKey, Collection>>);

impl Collections {
    /// Stops a job, if it has begun.
    pub(crate) fn cancel(&self, key: &JobKey) {
        if let Some(collection) = self.0.lock().get(key) {
            collection.cancel();
        }
    }

    /// How far a job is, begun if it was not. The collector ends by itself; its end is taken out.
    fn look(&self, key: &JobKey, begin: impl FnOnce() -> Collection) -> JobStatus {
        let mut collections = self.0.lock();
        let state = collections.entry(key.clone()).or_insert_with(begin).state();
        let status = match (state.ending, state.phase) {
            (Some(Ending::Finished), _) => JobStatus::Finished,
            (Some(Ending::Cancelled), _) => JobStatus::Stopped,
            (Some(Ending::Failed(_)), _) => JobStatus::Error,
            (None, Phase::Waiting) => JobStatus::Pending,
            (None, _) => JobStatus::Running,
        };
        if !status.is_open() {
            collections.remove(key);
        }
        status
    }
}

impl Tcr {
    /// Begins the jobs that wait, and notes what has become of those that were begun.
    pub(crate) async fn carry_out_collections(&self) -> Result<(), Error> {
        let jobs = self.store.read(|view| view.scan_index::<OpenJobs>(Scan::all()))?;
        for (scope, key, row) in jobs {
            let options = CollectOptions {
                older_than: self.collect_older_than,
                untagged_manifests: true,
                dry_run: row.dry_run,
            };
            let whose = Whose::Registry(RegistryId::new(key.0.as_str()));
            let status = self.collections.look(&key, || self.registry.start_collection(whose, options));
            if status != row.status {
                self.note_job(scope, key, status).await?;
            }
        }
        Ok(())
    }

    async fn note_job(&self, scope: Regional, key: JobKey, status: JobStatus) -> Result<(), StoreError> {
        let now = self.now();
        let write = move |tx: &mut Transaction<'_>| {
            // Terminated, or gone with its instance, meanwhile.
            let Some(row) = tx.get::<GcJobs>(&scope, &key)?.filter(|row| row.status.is_open()) else {
                return Ok(());
            };
            tx.put::<GcJobs>(&scope, &key, &JobRow { status, updated_at: now, ..row })
        };
        self.store.write(write).await
    }
}
