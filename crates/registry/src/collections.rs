//! Collections as jobs: started, watched, cancelled, waited for. They run beside pushes and pulls, one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::Registry;
use crate::collector::{CollectOptions, Collected, Whose};
use crate::errors::Error;

/// What a collection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Another collection is running.
    Waiting,
    /// Manifests that nothing keeps.
    Manifests,
    /// Blobs that no manifest of their repository names.
    Links,
    /// Blobs that no repository holds.
    Blobs,
    /// Files that a crash left without a row.
    Files,
    /// Over, one way or another.
    Ended,
}

/// How a collection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It went through everything.
    Finished,
    /// It was cancelled. What it had taken until then is gone; everything else is as it was.
    Cancelled,
    /// It failed; the words are for the operator. What it had taken until then is gone.
    Failed(String),
}

/// How far a collection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionState {
    /// What it is at.
    pub phase: Phase,
    /// How many manifests, links, blobs and files it has looked at.
    pub examined: u64,
    /// What it has taken so far.
    pub collected: Collected,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
}

/// A collection that was started. Clones are handles of the same one; it goes on without any.
#[derive(Debug, Clone)]
pub struct Collection {
    state: watch::Receiver<CollectionState>,
    cancelled: Arc<AtomicBool>,
}

impl Collection {
    /// How far it is.
    #[must_use]
    pub fn state(&self) -> CollectionState {
        self.state.borrow().clone()
    }

    /// Asks it to stop after the step that it is at.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Waits until it is over; says how it ended and what it took.
    pub async fn ended(&self) -> (Ending, Collected) {
        let mut state = self.state.clone();
        match state.wait_for(|state| state.ending.is_some()).await {
            Ok(state) => (state.ending.clone().unwrap_or(Ending::Cancelled), state.collected),
            // Its task is gone without a word: the runtime ended.
            Err(_) => (Ending::Cancelled, self.state().collected),
        }
    }
}

/// What a running collection tells of itself, and asks.
pub(crate) struct Watcher {
    state: watch::Sender<CollectionState>,
    cancelled: Arc<AtomicBool>,
}

impl Watcher {
    pub(crate) fn new() -> Self {
        let state = CollectionState {
            phase: Phase::Waiting,
            examined: 0,
            collected: Collected::default(),
            ending: None,
        };
        Self { state: watch::Sender::new(state), cancelled: Arc::default() }
    }

    fn handle(&self) -> Collection {
        Collection { state: self.state.subscribe(), cancelled: Arc::clone(&self.cancelled) }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.state.send_modify(|state| state.phase = phase);
    }

    pub(crate) fn examined(&self, count: usize) {
        self.state.send_modify(|state| state.examined += count as u64);
    }

    pub(crate) fn took(&self, note: impl FnOnce(&mut Collected)) {
        self.state.send_modify(|state| note(&mut state.collected));
    }

    pub(crate) fn collected(&self) -> Collected {
        self.state.borrow().collected
    }

    fn end(&self, ending: Ending) {
        self.state.send_modify(|state| {
            state.phase = Phase::Ended;
            state.ending = Some(ending);
        });
    }
}

impl Registry {
    /// Starts a collection and comes back at once. One runs at a time; others wait for their turn.
    #[must_use]
    pub fn start_collection(&self, whose: Whose, options: CollectOptions) -> Collection {
        let watcher = Watcher::new();
        let (handle, registry) = (watcher.handle(), self.clone());
        tokio::spawn(async move {
            let ending = match registry.sweep(&whose, options, &watcher).await {
                Ok(()) if watcher.is_cancelled() => Ending::Cancelled,
                Ok(()) => Ending::Finished,
                Err(error) => {
                    tracing::error!(?whose, %error, "a collection failed");
                    Ending::Failed(error.to_string())
                }
            };
            let Collected { manifests, links, blobs, bytes, .. } = watcher.collected();
            tracing::info!(?whose, ?ending, manifests, links, blobs, bytes, "a collection ended");
            registry.note_collected(watcher.collected());
            watcher.end(ending);
        });
        handle
    }

    /// Collects what is unused of one registry, and the blobs that no registry holds; waits for the end.
    pub async fn collect(
        &self,
        registry: &crate::RegistryId,
        options: CollectOptions,
    ) -> Result<Collected, Error> {
        let watcher = Watcher::new();
        let swept = self.sweep(&Whose::Registry(registry.clone()), options, &watcher).await;
        self.note_collected(watcher.collected());
        swept.map(|()| watcher.collected())
    }
}
