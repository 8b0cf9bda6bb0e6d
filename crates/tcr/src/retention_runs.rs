//! Carrying out the rules of [`tag_retention`](crate::tag_retention): the runs that callers and the calendar have asked for, one after the
//! other in the background. A run that a process did not finish is begun again by the next.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry::trace::SpanKind;
use rookery_registry::{Digest, Error as RegistryError, Origin, Reference, RegistryId, Repository, Tag};
use rookery_signing::attached::is_attached_tag;
use rookery_store::{Read, Regional, Scan, StoreError, Transaction};
use time::Duration;

use crate::Tcr;
use crate::attachments::unless_gone;
use crate::error::Error;
use crate::immutable_tags;
use crate::instances::{self, Instance};
use crate::moments::Moment;
use crate::numbers::{self, Kind};
use crate::signatures::image_key;
use crate::spans::{of_instance, spanned};
use crate::tag_retention::{
    self, DueRetention, ExecutionRow, Item, Keep, RetentionExecutions, RetentionRow, RetentionRules,
    RetentionTasks, RunStatus, TaskRow, UnderWay,
};

/// Rows taken at once.
const BATCH: usize = 100;

/// An image with all its tags.
#[derive(Clone, Debug)]
struct Candidate {
    tags: Vec<Tag>,
    /// The last push of any of them.
    pushed_at: Moment,
    /// The manifests that it lists.
    children: Vec<Digest>,
}

/// Notes that a rule is to be carried out; its number.
pub(crate) fn ask(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    rule: i64,
    dry_run: bool,
    now: Moment,
) -> Result<i64, StoreError> {
    let id = numbers::next(tx, instance, Kind::RetentionExecution)?;
    let row = ExecutionRow { rule, dry_run, started_at: now, ended_at: None, status: RunStatus::InProgress };
    tx.put::<RetentionExecutions>(&instance.scope, &(instance.id.clone(), id), &row)?;
    Ok(id)
}

impl Tcr {
    /// Asks for the runs that are due by the calendar, then does all that were asked for.
    pub(crate) async fn carry_out_retention(&self) -> Result<(), Error> {
        self.ask_for_due().await?;
        let runs = self.store.read(|view| view.scan_index::<UnderWay>(Scan::all().limit(BATCH)))?;
        for (scope, (id, execution), row) in runs {
            let found = self.store.read(|view| {
                let Some(instance) = instances::find(view, &id)? else { return Ok::<_, StoreError>(None) };
                let rule = view.get::<RetentionRules>(&scope, &(id.clone(), row.rule))?;
                Ok(rule.map(|rule| (instance, rule)))
            })?;
            let status = match found {
                Some((instance, rule)) => {
                    let run = async {
                        match self.run(&instance, &rule, execution, row.dry_run).await {
                            failed @ RunStatus::Failed => Err(failed),
                            status => Ok(status),
                        }
                    };
                    let (Ok(status) | Err(status)) = spanned(
                        "carry out retention",
                        SpanKind::Internal,
                        || of_instance(&id, execution),
                        run,
                    )
                    .await;
                    status
                }
                None => RunStatus::Stopped,
            };
            self.end(&scope, (id, execution), status).await?;
        }
        Ok(())
    }

    async fn ask_for_due(&self) -> Result<(), Error> {
        let now = self.world.now();
        let rules = self.store.read(|view| view.scan_index::<DueRetention>(Scan::all().limit(BATCH)))?;
        for (_, (id, number), row) in rules {
            if row.next_at.is_none_or(|at| at > now.into()) {
                break;
            }
            let write = move |tx: &mut Transaction<'_>| {
                let Some(instance) = instances::find(tx, &id)? else { return Ok::<_, StoreError>(()) };
                let key = (id.clone(), number);
                let Some(mut row) = tx.get::<RetentionRules>(&instance.scope, &key)? else { return Ok(()) };
                row.schedule(now);
                tx.put::<RetentionRules>(&instance.scope, &key, &row)?;
                ask(tx, &instance, number, false, now.into()).map(drop)
            };
            self.store.write(write).await?;
        }
        Ok(())
    }

    async fn end(&self, scope: &Regional, key: (String, i64), status: RunStatus) -> Result<(), Error> {
        let (scope, now) = (scope.clone(), self.now());
        let write = move |tx: &mut Transaction<'_>| {
            let Some(row) = tx.get::<RetentionExecutions>(&scope, &key)? else { return Ok(()) };
            let row = ExecutionRow { ended_at: Some(now), status, ..row };
            tx.put::<RetentionExecutions>(&scope, &key, &row)
        };
        Ok(self.store.write(write).await?)
    }

    /// Carries a rule out in every repository of its namespace. A repository that fails does not keep the others.
    async fn run(
        &self,
        instance: &Instance,
        rule: &RetentionRow,
        execution: i64,
        dry_run: bool,
    ) -> RunStatus {
        let mut status = RunStatus::Succeed;
        let registry = RegistryId::new(instance.id.as_str());
        let repositories =
            match self.registry.repositories(&registry, Some(&rule.namespace), None, usize::MAX) {
                Ok(repositories) => repositories,
                Err(error) => {
                    tracing::error!(instance = instance.id, %error, "retention cannot list repositories");
                    return RunStatus::Failed;
                }
            };
        for entry in repositories {
            if let Err(error) = self.run_in(instance, rule, execution, dry_run, &entry.repository).await {
                tracing::error!(repository = %entry.repository, %error, "retention failed");
                status = RunStatus::Failed;
            }
        }
        status
    }

    async fn run_in(
        &self,
        instance: &Instance,
        rule: &RetentionRow,
        execution: i64,
        dry_run: bool,
        repository: &Repository,
    ) -> Result<(), Error> {
        let (_, name) = repository.name().split_once('/').unwrap_or_default();
        let items: Vec<&Item> =
            rule.items.iter().filter(|item| item.selector.means_repository(name)).collect();
        // What no item means is left alone.
        if items.is_empty() {
            return Ok(());
        }
        let started_at = self.now();
        let candidates = self.candidates(repository)?;
        let mut kept = kept(&items, &candidates, started_at);
        for (digest, candidate) in &candidates {
            if !kept.contains(digest) && self.is_protected(instance, repository, candidate)? {
                kept.insert(digest.clone());
            }
        }
        let mut outcome = Ok(());
        if !dry_run {
            outcome = self.delete_all_but(instance, repository, &candidates, &mut kept).await;
        }
        let row = TaskRow {
            repository: name.to_owned(),
            total: i64::try_from(candidates.len()).unwrap_or(i64::MAX),
            retained: i64::try_from(kept.len()).unwrap_or(i64::MAX),
            started_at,
            ended_at: self.now(),
            status: if outcome.is_ok() { RunStatus::Succeed } else { RunStatus::Failed },
        };
        let instance = instance.clone();
        let write = move |tx: &mut Transaction<'_>| {
            let task = numbers::next(tx, &instance, Kind::RetentionTask)?;
            tx.put::<RetentionTasks>(&instance.scope, &(instance.id.clone(), execution, task), &row)
        };
        self.store.write::<_, StoreError, _>(write).await?;
        outcome
    }

    /// The tagged images of a repository. What is attached to an image is none.
    fn candidates(&self, repository: &Repository) -> Result<BTreeMap<Digest, Candidate>, Error> {
        let mut candidates: BTreeMap<Digest, Candidate> = BTreeMap::new();
        for entry in self.registry.tags(repository, None, usize::MAX)? {
            if is_attached_tag(entry.tag.as_str()) || entry.manifest.subject.is_some() {
                continue;
            }
            let pushed_at = Moment::from(entry.pushed_at);
            let candidate = candidates.entry(entry.manifest.digest).or_insert_with(|| Candidate {
                tags: Vec::new(),
                pushed_at,
                children: entry.manifest.children,
            });
            candidate.pushed_at = candidate.pushed_at.max(pushed_at);
            candidate.tags.push(entry.tag);
        }
        Ok(candidates)
    }

    fn is_protected(
        &self,
        instance: &Instance,
        repository: &Repository,
        candidate: &Candidate,
    ) -> Result<bool, StoreError> {
        self.store.read(|view| {
            for tag in &candidate.tags {
                if immutable_tags::is_immutable(view, instance, repository, tag.as_str())? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Deletes what is not kept. An image that a kept index lists loses its tags only. What turns out to be immutable is kept after all.
    async fn delete_all_but(
        &self,
        instance: &Instance,
        repository: &Repository,
        candidates: &BTreeMap<Digest, Candidate>,
        kept: &mut BTreeSet<Digest>,
    ) -> Result<(), Error> {
        let needed = self.needed(repository, candidates, kept)?;
        for (digest, candidate) in candidates {
            if kept.contains(digest) {
                continue;
            }
            let deleted = if needed.contains(digest) {
                self.untag(repository, &candidate.tags).await
            } else {
                self.registry.delete_manifest(repository, digest, Origin::Client(None)).await
            };
            match deleted {
                Err(RegistryError::Refused(refusal)) if refusal.status.is_client_error() => {
                    kept.insert(digest.clone());
                }
                outcome => unless_gone(outcome)?,
            }
            self.signing.clean_up(&instance.scope, &image_key(repository, digest)).await?;
        }
        Ok(())
    }

    async fn untag(&self, repository: &Repository, tags: &[Tag]) -> Result<(), RegistryError> {
        for tag in tags {
            self.registry.delete_tag(repository, tag, Origin::Client(None)).await?;
        }
        Ok(())
    }

    /// The manifests that kept indexes list, and those that these list.
    fn needed(
        &self,
        repository: &Repository,
        candidates: &BTreeMap<Digest, Candidate>,
        kept: &BTreeSet<Digest>,
    ) -> Result<BTreeSet<Digest>, Error> {
        let listed = kept.iter().filter_map(|digest| candidates.get(digest));
        let mut left: Vec<Digest> = listed.flat_map(|candidate| candidate.children.clone()).collect();
        let mut needed = BTreeSet::new();
        while let Some(digest) = left.pop() {
            if needed.insert(digest.clone())
                && let Some(child) = self.registry.manifest_info(repository, &Reference::Digest(digest))?
            {
                left.extend(child.children);
            }
        }
        Ok(needed)
    }
}

/// What any item keeps.
fn kept(items: &[&Item], candidates: &BTreeMap<Digest, Candidate>, now: Moment) -> BTreeSet<Digest> {
    let mut kept = BTreeSet::new();
    for item in items {
        let means =
            |candidate: &Candidate| candidate.tags.iter().any(|tag| item.selector.means_tag(tag.as_str()));
        let mut selected: Vec<_> = candidates.iter().filter(|(_, candidate)| means(candidate)).collect();
        // The newest first; the digest decides between those of one moment, so that a dry run tells the truth.
        selected.sort_by(|(one_digest, one), (other_digest, other)| {
            (other.pushed_at, one_digest).cmp(&(one.pushed_at, other_digest))
        });
        match item.keep {
            Keep::Latest(images) => selected.truncate(usize::try_from(images).unwrap_or_default()),
            Keep::Days(days) => {
                selected.retain(|(_, candidate)| candidate.pushed_at.plus(Duration::days(days)) >= now);
            }
        }
        kept.extend(selected.into_iter().map(|(digest, _)| digest.clone()));
    }
    kept
}

/// The rule is being carried out, or is about to be.
pub(crate) fn is_under_way(read: &impl Read, instance: &Instance, rule: i64) -> Result<bool, StoreError> {
    let runs = tag_retention::executions(read, instance, rule)?;
    Ok(runs.iter().any(|(_, row)| row.status == RunStatus::InProgress))
}
