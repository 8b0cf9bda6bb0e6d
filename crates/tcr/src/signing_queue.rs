//! Images that a policy wants signed and that are not yet: a durable row each, written in the transaction that accepted
//! the push.
//!
//! The push itself signs at once and takes the row away. Where that fails, or the process ends in between, the push stands and the row
//! stays, with what went wrong and when to try again; the background work tries until it succeeds, or nothing is left to sign.

use opentelemetry::trace::SpanKind;
use rookery_gateway::Refusal as _;
use rookery_signing::attached::Pushed;
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::error::Error;
use crate::instances::{self, Instance};
use crate::moments::Moment;
use crate::signature_policies;
use crate::signatures::{Formats, ImageKey, Signatures, Signing, image_key, image_of};
use crate::spans::{of_image, spanned};

/// How long a row is left to the push that wrote it.
const GRACE: Duration = Duration::seconds(10);
/// The pause after the first failure; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::seconds(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::minutes(15);
/// Rows taken from the queue at once.
const BATCH: usize = 100;

/// What waits to be signed.
pub(crate) struct SigningQueue;

/// What is kept of a wait.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PendingRow {
    pub(crate) enqueued_at: Moment,
    pub(crate) next_try_at: Moment,
    /// How often it has failed.
    pub(crate) failures: u32,
    /// Why it failed last.
    pub(crate) last_error: Option<String>,
}

impl Table for SigningQueue {
    const NAME: &'static str = "tcr.signing-queue";
    type Scope = Regional;
    type Key = ImageKey;
    type Row = PendingRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&Due];
}

/// The rows in the order in which they are due, in microseconds since 1970.
pub(crate) struct Due;

impl Index for Due {
    type Table = SigningQueue;
    type Value = i64;
    const NAME: &'static str = "due";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &ImageKey, row: &PendingRow) -> Option<i64> {
        Some(row.next_try_at.microseconds())
    }
}

/// Which rows of the queue to work off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those whose time has come.
    Due,
    /// All: at the start, nobody else is at work on any of them.
    All,
}

/// In the transaction that accepts a push: notes that the image has to be signed, if a policy wants it and it is not signed
/// under that policy already.
pub(crate) fn enqueue(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    push: &rookery_registry::ManifestPush,
    suffix: &str,
) -> Result<(), StoreError> {
    let Some(policy) = signature_policies::find(tx, instance, push.repository.namespace())? else {
        return Ok(());
    };
    let signable =
        push.digest.as_str().parse::<rookery_signing::Digest>().is_ok() && pushed(push).is_signable();
    if policy.disabled || !signable {
        return Ok(());
    }
    let key = image_key(&push.repository, &push.digest);
    let reference = policy.docker_reference(instance, suffix, push.repository.name());
    if let Some(row) = tx.get::<Signatures>(&instance.scope, &key)?
        && row.is_whole(&policy, &reference)
    {
        return Ok(());
    }
    let now = Moment::from(push.pushed_at);
    let row = PendingRow { enqueued_at: now, next_try_at: now.plus(GRACE), failures: 0, last_error: None };
    tx.put::<SigningQueue>(&instance.scope, &key, &row)
}

/// What tells an image from what is attached to one.
fn pushed(push: &rookery_registry::ManifestPush) -> Pushed<'_> {
    let tag = match &push.reference {
        rookery_registry::Reference::Tag(tag) => Some(tag.as_str()),
        rookery_registry::Reference::Digest(_) => None,
    };
    Pushed {
        tag,
        artifact_type: push.artifact_type.as_deref(),
        config_media_type: push.config_media_type.as_deref(),
        // The registry does not tell them; whatever is signed by them alone is pushed under a tag that tells.
        layer_media_types: &[],
        has_subject: push.subject.is_some(),
    }
}

impl Signing {
    /// Tries to sign what `which` selects of the queue, each image once. Failures are noted in the rows; only a failure to read or
    /// write the queue itself ends the work early.
    pub(crate) async fn work_off(&self, which: Which) -> Result<(), Error> {
        if which == Which::All {
            for (scope, key, _) in self.store.read(|view| view.scan_all::<SigningQueue>())? {
                self.sign_pending(&scope, &key).await?;
            }
            return Ok(());
        }
        loop {
            let now = Moment::from(self.world.now());
            let rows = self.store.read(|view| view.scan_index::<Due>(Scan::all().limit(BATCH)))?;
            let due: Vec<_> = rows.into_iter().filter(|(_, _, row)| row.next_try_at <= now).collect();
            if due.is_empty() {
                return Ok(());
            }
            // Each try takes its row away or moves it into the future, so the next batch is another one.
            for (scope, key, _) in due {
                self.sign_pending(&scope, &key).await?;
            }
        }
    }

    /// Tries to sign one image of the queue, if it is on it.
    pub(crate) async fn sign_pending(&self, scope: &Regional, key: &ImageKey) -> Result<(), Error> {
        let Some(_) = self.store.read(|view| view.get::<SigningQueue>(scope, key))? else { return Ok(()) };
        let (repository, digest) = image_of(key)?;
        let found = self.store.read(|view| {
            let Some(instance) = instances::find(view, &key.0)? else { return Ok::<_, StoreError>(None) };
            let policy = signature_policies::find(view, &instance, repository.namespace())?;
            Ok(policy.filter(|policy| !policy.disabled).map(|policy| (instance, policy)))
        })?;
        let signed = match &found {
            Some((instance, policy)) => {
                let sign = self.sign(instance, policy, &repository, &digest, Formats::Missing);
                spanned("sign image", SpanKind::Internal, || of_image(key), sign).await
            }
            None => Err(Error::NoPolicy(repository.namespace().to_owned())),
        };
        match signed {
            Ok(()) => Ok(()),
            // Nothing is left to sign, or nobody wants it signed.
            Err(Error::NoPolicy(_) | Error::NoImage { .. } | Error::Unsignable) => {
                let (scope, key) = (scope.clone(), key.clone());
                Ok(self.store.write(move |tx| tx.delete::<SigningQueue>(&scope, &key).map(drop)).await?)
            }
            Err(error) => self.put_off(scope, key, &error).await,
        }
    }

    /// Notes a failure, and when to try again.
    async fn put_off(&self, scope: &Regional, key: &ImageKey, error: &Error) -> Result<(), Error> {
        let mut told = error.to_string();
        // An outage is told in words that hide it; here they may be said.
        if let Some(internal) = error.internal()
            && !told.contains(&internal)
        {
            told = format!("{told} ({internal})");
        }
        let (registry, repository, digest) = key;
        tracing::warn!(registry, repository, digest, error = told, "a pushed image could not be signed yet");
        let now = Moment::from(self.world.now());
        let (scope, key) = (scope.clone(), key.clone());
        self.store
            .write(move |tx| {
                let Some(mut row) = tx.get::<SigningQueue>(&scope, &key)? else { return Ok(()) };
                row.failures = row.failures.saturating_add(1);
                row.next_try_at = now.plus(pause_after(row.failures));
                row.last_error = Some(told.clone());
                tx.put::<SigningQueue>(&scope, &key, &row)?;
                Ok(())
            })
            .await
    }
}

/// How long to wait after so many failures.
fn pause_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_PAUSE * (1_i32 << doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let seconds = |failures| pause_after(failures).whole_seconds();
        assert_eq!([1, 2, 3, 8, 9, 400].map(seconds), [5, 10, 20, 640, 900, 900]);
    }
}
