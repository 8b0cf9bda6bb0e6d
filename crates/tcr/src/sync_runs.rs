//! Carrying out the rules of [`sync_rules`](crate::sync_rules): a durable row for each tag that a rule means, written in the transaction of the
//! push or the deletion and worked off in the background. A run is about one tag, so it is its own only task.
//!
//! Two rules that point at each other come to rest, since a tag that names the right image already is not pushed again.

use opentelemetry::trace::SpanKind;
use rookery_api::tcr::{ReplicationExecution, ReplicationTask};
use rookery_registry::{
    Deletion, Digest, Error as RegistryError, ManifestPush, Origin, Reference, Repository, Subject, Tag,
};
use rookery_signing::attached::is_attached_tag;
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::Tcr;
use crate::copies::Scopes;
use crate::error::Error;
use crate::instances::{self, Instance, Status};
use crate::moments::{Moment, NEVER};
use crate::namespaces::{self, NamespaceRow};
use crate::numbers::{self, Kind};
use crate::repositories;
use crate::signatures::image_key;
use crate::signing_queue::SigningQueue;
use crate::spans::{of_instance, spanned};
use crate::sync_rules::{self, SyncRow, SyncRules};
use crate::tokens;

/// Tries of one run.
const TRIES: u32 = 5;
/// The pause after the first failure; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::seconds(2);
/// How long a run waits for the signature of its image.
const PATIENCE: Duration = Duration::minutes(1);
/// Runs that an instance remembers.
const REMEMBERED: i64 = 10_000;
/// Rows taken at once.
const BATCH: usize = 100;
/// Who pushes the copies.
const OPERATOR: &str = "replication";

/// The runs of a source instance, by number.
pub(crate) struct SyncRuns;

/// What is kept of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunRow {
    pub(crate) rule: i64,
    /// With its namespace.
    repository: String,
    tag: String,
    resource: String,
    /// What to copy; `None` where the tag is to go.
    digest: Option<String>,
    /// Where to, for replies.
    target: String,
    started_at: Moment,
    ended_at: Option<Moment>,
    failures: u32,
    /// `None` once it is over.
    next_try_at: Option<Moment>,
    succeeded: bool,
}

impl Table for SyncRuns {
    const NAME: &'static str = "tcr.sync-runs";
    type Scope = Regional;
    type Key = (String, i64);
    type Row = RunRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&DueRun];
}

/// The runs in the order in which they are due, in microseconds since 1970.
pub(crate) struct DueRun;

impl Index for DueRun {
    type Table = SyncRuns;
    type Value = i64;
    const NAME: &'static str = "due";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &(String, i64), row: &RunRow) -> Option<i64> {
        row.next_try_at.map(Moment::microseconds)
    }
}

impl RunRow {
    fn status(&self) -> &'static str {
        match (self.succeeded, self.next_try_at) {
            (true, _) => "Succeed",
            (false, Some(_)) => "InProgress",
            (false, None) => "Failed",
        }
    }

    fn end(&self) -> String {
        self.ended_at.map_or_else(|| NEVER.to_owned(), Moment::utc_with_fraction)
    }

    /// The run as replies show it.
    pub(crate) fn describe(&self, id: i64) -> ReplicationExecution {
        ReplicationExecution {
            execution_id: Some(id),
            policy_id: Some(self.rule),
            status: Some(self.status().to_owned()),
            total: Some(1),
            succeed: Some(i64::from(self.succeeded)),
            start_time: Some(self.started_at.utc_with_fraction()),
            end_time: Some(self.end()),
        }
    }

    /// The only task of the run as replies show it.
    pub(crate) fn describe_task(&self, id: i64) -> ReplicationTask {
        ReplicationTask {
            resource_type: Some(self.resource.clone()),
            src_resource: Some(format!("{}:[{}]", self.repository, self.tag)),
            dst_resource: Some(format!("{}:[{}]", self.target, self.tag)),
            job_id: Some(format!("{id:024x}")),
            status: Some(self.status().to_owned()),
            start_time: Some(self.started_at.utc_with_fraction()),
            end_time: Some(self.end()),
        }
    }

    fn tried(&mut self, outcome: &Outcome, now: Moment) {
        let pause = match outcome {
            Outcome::Done => {
                (self.succeeded, self.next_try_at, self.ended_at) = (true, None, Some(now));
                return;
            }
            Outcome::Early => Some(FIRST_PAUSE),
            Outcome::Failed { lasting } => {
                self.failures = self.failures.saturating_add(1);
                let again = !lasting && self.failures < TRIES;
                again.then(|| FIRST_PAUSE * (1_i32 << self.failures.min(16)))
            }
        };
        self.next_try_at = pause.map(|pause| now.plus(pause));
        self.ended_at = if pause.is_none() { Some(now) } else { None };
    }
}

/// What became of a try.
enum Outcome {
    Done,
    /// The image is about to be signed.
    Early,
    Failed {
        /// Trying again would not help.
        lasting: bool,
    },
}

/// In the transaction of a push: a run for each rule that means the tag. A tag that named the image already is no news.
pub(crate) fn note_push(
    tx: &mut Transaction<'_>,
    source: &Instance,
    push: &ManifestPush,
) -> Result<(), StoreError> {
    let Reference::Tag(tag) = &push.reference else { return Ok(()) };
    if push.subject.is_some() || push.previous.as_ref() == Some(&push.digest) {
        return Ok(());
    }
    let (digest, resource) = (Some(push.digest.to_string()), sync_rules::resource_of(push));
    note(tx, source, &push.repository, tag, digest.as_deref(), Some(resource), push.pushed_at.into())
}

/// In the transaction of a deletion by a client: a run for each rule that means one of the tags and copies deletions.
pub(crate) fn note_deletion(
    tx: &mut Transaction<'_>,
    source: &Instance,
    deletion: &Deletion,
    tags: &[Tag],
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    if matches!(deletion.origin, Origin::Internal) {
        return Ok(());
    }
    for tag in tags {
        note(tx, source, &deletion.repository, tag, None, None, now.into())?;
    }
    Ok(())
}

fn note(
    tx: &mut Transaction<'_>,
    source: &Instance,
    repository: &Repository,
    tag: &Tag,
    digest: Option<&str>,
    resource: Option<&str>,
    now: Moment,
) -> Result<(), StoreError> {
    if is_attached_tag(tag.as_str()) {
        return Ok(());
    }
    for (rule, row) in sync_rules::list(tx, source)? {
        let wanted = digest.is_some() || row.deletes;
        if !wanted || !row.means(repository.name(), tag.as_str(), resource) {
            continue;
        }
        let id = numbers::next(tx, source, Kind::SyncRun)?;
        let run = RunRow {
            rule,
            repository: repository.name().to_owned(),
            tag: tag.to_string(),
            resource: resource.unwrap_or("image").to_owned(),
            digest: digest.map(str::to_owned),
            target: row.target_name(repository.name()),
            started_at: now,
            ended_at: None,
            failures: 0,
            next_try_at: Some(now),
            succeeded: false,
        };
        tx.put::<SyncRuns>(&source.scope, &(source.id.clone(), id), &run)?;
        let old = (source.id.clone(), id - REMEMBERED);
        if tx.get::<SyncRuns>(&source.scope, &old)?.is_some_and(|row| row.next_try_at.is_none()) {
            tx.delete::<SyncRuns>(&source.scope, &old)?;
        }
    }
    Ok(())
}

/// The runs of an instance, or of one of its rules, the newest first.
pub(crate) fn list(
    read: &impl Read,
    source: &Instance,
    rule: Option<i64>,
) -> Result<Vec<(i64, RunRow)>, StoreError> {
    let scan = Scan::all().prefix(source.id.as_str()).reverse();
    let rows = read.scan::<SyncRuns>(&source.scope, scan)?;
    let wanted = |row: &RunRow| rule.is_none_or(|rule| rule == row.rule);
    Ok(rows.into_iter().filter(|(_, row)| wanted(row)).map(|((_, id), row)| (id, row)).collect())
}

/// Takes the runs of a rule away.
pub(crate) fn delete_of(tx: &mut Transaction<'_>, source: &Instance, rule: i64) -> Result<(), StoreError> {
    for (id, _) in list(tx, source, Some(rule))? {
        tx.delete::<SyncRuns>(&source.scope, &(source.id.clone(), id))?;
    }
    Ok(())
}

/// The two ends of a run.
struct Ends {
    source: Instance,
    rule: SyncRow,
    target: Instance,
}

impl Tcr {
    /// Does the runs that are due.
    pub(crate) async fn synchronise(&self) -> Result<(), Error> {
        loop {
            let now = self.now();
            let rows = self.store.read(|view| view.scan_index::<DueRun>(Scan::all().limit(BATCH)))?;
            let due: Vec<_> =
                rows.into_iter().filter(|(_, _, row)| row.next_try_at.is_some_and(|at| at <= now)).collect();
            if due.is_empty() {
                return Ok(());
            }
            // Each try moves its row into the future or ends it, so the next batch is another one.
            for (scope, key, row) in due {
                let outcome = self.try_run(&key, &row).await;
                let now = self.now();
                let write = move |tx: &mut Transaction<'_>| {
                    let Some(mut row) = tx.get::<SyncRuns>(&scope, &key)? else { return Ok(()) };
                    row.tried(&outcome, now);
                    tx.put::<SyncRuns>(&scope, &key, &row)
                };
                self.store.write::<_, StoreError, _>(write).await?;
            }
        }
    }

    async fn try_run(&self, (id, number): &(String, i64), row: &RunRow) -> Outcome {
        let done = match self.ends(id, row.rule) {
            Ok(Some(ends)) => {
                let copy = self.copy_or_delete(&ends, row);
                spanned("synchronise image", SpanKind::Internal, || of_instance(id, *number), copy).await
            }
            Ok(None) => return Outcome::Failed { lasting: true },
            Err(error) => Err(error),
        };
        match done {
            Ok(outcome) => outcome,
            Err(error) => {
                let internal = rookery_gateway::Refusal::internal(&error);
                tracing::warn!(instance = id, run = number, %error, internal, "a synchronisation failed");
                let lasting =
                    matches!(error, Error::PeerRefused | Error::ImmutableTag(_) | Error::Quota { .. });
                Outcome::Failed { lasting }
            }
        }
    }

    /// `None` where either end, or the rule, is gone.
    fn ends(&self, id: &str, rule: i64) -> Result<Option<Ends>, Error> {
        self.store.read(|view| {
            let Some(source) = instances::find(view, id)? else { return Ok(None) };
            let Some(rule) = view.get::<SyncRules>(&source.scope, &(id.to_owned(), rule))? else {
                return Ok(None);
            };
            let Some(target) = instances::find(view, &rule.destination)? else { return Ok(None) };
            Ok(Some(Ends { source, rule, target }))
        })
    }

    async fn copy_or_delete(&self, ends: &Ends, row: &RunRow) -> Result<Outcome, Error> {
        let Ends { source, rule, target } = ends;
        if target.row.status(self.now()) != Status::Running {
            return Ok(Outcome::Failed { lasting: false });
        }
        self.check_peer(source, rule, target)?;
        let from = repositories::registry_name(source, &row.repository)?;
        let to = repositories::registry_name(target, &rule.target_name(&row.repository))?;
        let tag = Tag::new(row.tag.as_str()).map_err(RegistryError::from)?;
        let Some(digest) = &row.digest else {
            return match self.registry.delete_tag(&to, &tag, origin()).await {
                Ok(()) | Err(RegistryError::ManifestUnknown(_)) => Ok(Outcome::Done),
                Err(RegistryError::Refused(refusal)) if refusal.status.is_client_error() => {
                    Ok(Outcome::Failed { lasting: true })
                }
                Err(error) => Err(error.into()),
            };
        };
        let digest: Digest = digest.parse().map_err(RegistryError::from)?;
        let there = self.registry.manifest_info(&to, &Reference::Tag(tag.clone()))?;
        // The same image, or another that is not to be replaced.
        if there.is_some_and(|there| there.digest == digest || !rule.replaces) {
            return Ok(Outcome::Done);
        }
        // Deleted meanwhile: its deletion has a run of its own.
        if self.registry.manifest_info(&from, &Reference::Digest(digest.clone()))?.is_none() {
            return Ok(Outcome::Done);
        }
        let waits = self
            .store
            .read(|view| view.contains::<SigningQueue>(&source.scope, &image_key(&from, &digest)))?;
        if waits && self.now() < row.started_at.plus(PATIENCE) {
            return Ok(Outcome::Early);
        }
        self.ensure_namespace(target, to.namespace()).await?;
        let scopes = Scopes { source: &source.scope, target: &target.scope };
        self.copy_image(scopes, &from, &digest, &to, &Reference::Tag(tag), &Subject::new(OPERATOR)).await?;
        Ok(Outcome::Done)
    }

    /// Another account's instance is open for as long as its token is good.
    pub(crate) fn check_peer(
        &self,
        source: &Instance,
        rule: &SyncRow,
        target: &Instance,
    ) -> Result<(), Error> {
        let Some(peer) = &rule.peer else {
            return if source.scope.uin == target.scope.uin { Ok(()) } else { Err(Error::PeerRefused) };
        };
        let token = self.seal.open(&sync_rules::context(&source.id), &peer.token)?;
        let token = String::from_utf8_lossy(&token).into_owned();
        let id = Some(target.id.as_str());
        let found = self.store.read(|view| tokens::log_in(view, id, &peer.uin, &token, self.now()))?;
        if found.is_some() { Ok(()) } else { Err(Error::PeerRefused) }
    }

    /// A namespace that is not there is made, private, within the quota.
    async fn ensure_namespace(&self, target: &Instance, name: &str) -> Result<(), Error> {
        if self.store.read(|view| namespaces::find(view, target, name))?.is_some() {
            return Ok(());
        }
        let (id, scope, name, now) = (target.id.clone(), target.scope.clone(), name.to_owned(), self.now());
        self.change_access(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::CONTENT)?;
            if namespaces::find(tx, &instance, &name)?.is_some() {
                return Ok(());
            }
            namespaces::create(tx, instance, &name, NamespaceRow::private(now))
        })
        .await
    }
}

fn origin() -> Origin {
    Origin::Client(Some(Subject::new(OPERATOR)))
}
