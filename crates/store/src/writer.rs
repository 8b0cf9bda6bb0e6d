//! The one writer: runs transactions one after the other and makes those that wait together durable together.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::backend::overlay::Overlay;
use crate::backend::{Backend, Snapshot};
use crate::error::StoreError;
use crate::group::{Changed, Group};
use crate::transaction::Transaction;

/// How many transactions may wait before [`Store::write`](crate::Store::write) itself waits.
pub(crate) const QUEUE: usize = 1024;

/// How many transactions are made durable together at most: bounds what the first of them waits for the others.
const TOGETHER: usize = 256;

/// A transaction on its way through the writer, whatever its result and error types.
pub(crate) trait Job: Send {
    /// Runs the closure and remembers its result; the changes are to be kept if there are any.
    fn run(&mut self, state: &dyn Snapshot) -> Option<Overlay>;

    /// Tells the caller how it went, given whether the group was committed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// The [`Job`] of one closure.
pub(crate) struct Write<T, E, F> {
    closure: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Write<T, E, F> {
    /// The job, and where its result arrives; nothing arrives where the writer has gone.
    pub(crate) fn new(closure: F) -> (Write<T, E, F>, oneshot::Receiver<Result<T, E>>) {
        let (reply, result) = oneshot::channel();
        (Write { closure, result: None, reply }, result)
    }
}

impl<T, E, F> Job for Write<T, E, F>
where
    F: Fn(&mut Transaction<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, state: &dyn Snapshot) -> Option<Overlay> {
        // A panic leaves behind only the transaction, which is dropped, and what the closure owns, which is not used
        // again.
        let run = catch_unwind(AssertUnwindSafe(|| {
            let mut transaction = Transaction::over(state);
            let result = (self.closure)(&mut transaction);
            (result, transaction.into_overlay())
        }));
        let (result, overlay) = match run {
            Ok((Ok(value), overlay)) => (Ok(value), Some(overlay)),
            Ok((Err(error), _)) => (Err(error), None),
            Err(panic) => (Err(StoreError::Panicked(message_of(&*panic)).into()), None),
        };
        self.result = Some(result);
        overlay
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::Closed.into()),
            (Err(error), _) => Err(error.into()),
        };
        if self.reply.send(result).is_err() {
            tracing::trace!("the caller of a transaction did not wait for its result");
        }
    }
}

/// What a panic said.
fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// Runs transactions until every handle of the store is gone and the queue is empty, and counts the changes of the state.
pub(crate) fn run(backend: &dyn Backend, mut queue: mpsc::Receiver<Box<dyn Job>>, changes: &AtomicU64) {
    let mut jobs = Vec::new();
    while let Some(first) = queue.blocking_recv() {
        jobs.push(first);
        while jobs.len() < TOGETHER
            && let Ok(next) = queue.try_recv()
        {
            jobs.push(next);
        }
        let committed = commit_together(backend, &mut jobs);
        // Of a commit that failed, nobody knows what is left.
        if !matches!(committed, Ok(Changed::Nothing)) {
            changes.fetch_add(1, Ordering::Release);
        }
        let committed = committed.map(|_| ());
        if let Err(error) = &committed {
            tracing::error!(%error, transactions = jobs.len(), "the state could not be written");
        }
        // Also those that failed or only read are told now: what they saw of the others has become true.
        for job in jobs.drain(..) {
            job.answer(committed.clone());
        }
    }
}

/// Runs each job over what the ones before it changed, and commits the changes of those that succeeded.
fn commit_together(backend: &dyn Backend, jobs: &mut [Box<dyn Job>]) -> Result<Changed, StoreError> {
    let mut batch = backend.begin()?;
    let mut group = Group::default();
    for job in jobs {
        if let Some(changes) = job.run(&group.over(&*batch)) {
            group.add(changes, &mut *batch)?;
        }
    }
    group.commit(batch)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::backend::memory::Memory;
    use crate::backend::{Batch, Visitor};
    use crate::scan::Span;

    /// Memory whose commits are counted, and let through or failed one by one.
    struct Gated {
        memory: Memory,
        commits: AtomicUsize,
        /// Says that a commit has begun.
        begun: Mutex<std::sync::mpsc::Sender<()>>,
        /// Says how a commit ends.
        verdicts: Mutex<std::sync::mpsc::Receiver<Result<(), StoreError>>>,
    }

    struct GatedBatch<'g> {
        gated: &'g Gated,
        batch: Box<dyn Batch + 'g>,
    }

    impl Backend for Gated {
        fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
            self.memory.snapshot()
        }

        fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
            Ok(Box::new(GatedBatch { gated: self, batch: self.memory.begin()? }))
        }

        fn compact(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    impl Snapshot for GatedBatch<'_> {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.batch.get(key)
        }

        fn visit(&self, span: &Span, reverse: bool, visitor: &mut Visitor<'_>) -> Result<(), StoreError> {
            self.batch.visit(span, reverse, visitor)
        }
    }

    impl Batch for GatedBatch<'_> {
        fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
            self.batch.put(key, value)
        }

        fn delete(&mut self, key: &[u8]) -> Result<(), StoreError> {
            self.batch.delete(key)
        }

        fn commit(self: Box<Self>) -> Result<(), StoreError> {
            self.gated.commits.fetch_add(1, Ordering::SeqCst);
            self.gated.begun.lock().unwrap().send(()).unwrap();
            self.gated.verdicts.lock().unwrap().recv().unwrap()?;
            self.batch.commit()
        }
    }

    type Reply = oneshot::Receiver<Result<bool, StoreError>>;

    /// A transaction that puts `key` and says whether it was there before; `keep` false: and then fails.
    fn put(queue: &mpsc::Sender<Box<dyn Job>>, key: &'static str, keep: bool) -> Reply {
        let (job, reply) = Write::new(move |transaction: &mut Transaction<'_>| {
            let present = crate::read::Raw::raw(transaction).0.get(key.as_bytes())?.is_some();
            transaction.put_raw(key.into(), Vec::new());
            if keep { Ok(present) } else { Err(StoreError::Closed) }
        });
        assert!(queue.try_send(Box::new(job)).is_ok());
        reply
    }

    fn read(queue: &mpsc::Sender<Box<dyn Job>>) -> Reply {
        let (job, reply) = Write::new(|_: &mut Transaction<'_>| Ok::<_, StoreError>(true));
        assert!(queue.try_send(Box::new(job)).is_ok());
        reply
    }

    /// Runs `test` beside a writer; it has the queue, what says that a commit begins, and what ends one.
    fn beside_a_writer(
        test: impl FnOnce(
            mpsc::Sender<Box<dyn Job>>,
            std::sync::mpsc::Receiver<()>,
            std::sync::mpsc::Sender<Result<(), StoreError>>,
        ),
    ) -> Gated {
        let (begun, commit_begins) = std::sync::mpsc::channel();
        let (verdict, verdicts) = std::sync::mpsc::channel();
        let gated = Gated {
            memory: Memory::default(),
            commits: AtomicUsize::new(0),
            begun: Mutex::new(begun),
            verdicts: Mutex::new(verdicts),
        };
        let (queue, jobs) = mpsc::channel(QUEUE);
        thread::scope(|scope| {
            scope.spawn(|| run(&gated, jobs, &AtomicU64::new(0)));
            test(queue, commit_begins, verdict);
        });
        gated
    }

    #[test]
    fn what_waits_during_a_commit_is_committed_together() {
        let gated = beside_a_writer(|queue, commit_begins, verdict| {
            let first = put(&queue, "first", true);
            commit_begins.recv().unwrap();
            let kept = put(&queue, "kept", true);
            let failed = put(&queue, "failed", false);
            let same = put(&queue, "kept", true);
            let tried_again = put(&queue, "failed", true);
            verdict.send(Ok(())).unwrap();
            assert!(!first.blocking_recv().unwrap().unwrap());
            commit_begins.recv().unwrap();
            verdict.send(Ok(())).unwrap();
            assert!(!kept.blocking_recv().unwrap().unwrap());
            assert!(matches!(failed.blocking_recv().unwrap(), Err(StoreError::Closed)));
            assert!(same.blocking_recv().unwrap().unwrap(), "what an earlier one of the group put is seen");
            assert!(!tried_again.blocking_recv().unwrap().unwrap(), "what failed is not seen");
        });
        assert_eq!(gated.commits.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_failed_commit_is_told_to_all_and_keeps_nothing() {
        let gated = beside_a_writer(|queue, commit_begins, verdict| {
            let first = put(&queue, "first", true);
            commit_begins.recv().unwrap();
            let replies = [put(&queue, "second", true), put(&queue, "second", false), read(&queue)];
            verdict.send(Err(StoreError::backend(std::io::Error::other("full")))).unwrap();
            assert!(matches!(first.blocking_recv().unwrap(), Err(StoreError::Backend(_))));
            commit_begins.recv().unwrap();
            verdict.send(Err(StoreError::backend(std::io::Error::other("full")))).unwrap();
            for reply in replies {
                assert!(matches!(reply.blocking_recv().unwrap(), Err(StoreError::Backend(_))));
            }
            let again = put(&queue, "first", true);
            commit_begins.recv().unwrap();
            verdict.send(Ok(())).unwrap();
            assert!(!again.blocking_recv().unwrap().unwrap());
        });
        let snapshot = gated.snapshot().unwrap();
        assert!(snapshot.get(b"first").unwrap().is_some());
        assert!(snapshot.get(b"second").unwrap().is_none());
    }

    #[test]
    fn what_changes_nothing_is_not_committed() {
        let gated = beside_a_writer(|queue, _, _| {
            assert!(read(&queue).blocking_recv().unwrap().unwrap());
            assert!(put(&queue, "failed", false).blocking_recv().unwrap().is_err());
        });
        assert_eq!(gated.commits.load(Ordering::SeqCst), 0);
    }
}
