//! How the registry fares: figures for a monitor, and whether it can take a push now.

use std::io;

use rookery_store::{Global, Table, Transaction};

use crate::Registry;
use crate::collector::Collected;
use crate::digest::Digest;
use crate::errors::Error;
use crate::tables::Moment;

/// What a monitor asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Uploads under way that this process has seen.
    pub uploads: usize,
    /// Whether a collection is running.
    pub collecting: bool,
    /// What collections have taken since the start, dry runs left out.
    pub collected: Collected,
}

/// When somebody last asked whether the registry is ready: a row that is written to see that rows can be.
struct Readiness;

impl Table for Readiness {
    const NAME: &'static str = "registry.readiness";
    type Scope = Global;
    type Key = String;
    type Row = Moment;
}

impl Registry {
    /// The figures of this moment.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            uploads: self.inner.uploads.under_way(),
            collecting: self.inner.collecting.try_lock().is_err(),
            collected: *self.inner.collected.lock(),
        }
    }

    /// Whether a push would be taken now: the store commits, the disk of the uploads takes a block and syncs it, and the place of
    /// the blobs answers. Does each of them; ask once in a while, not with every request.
    pub async fn ready(&self) -> Result<(), Error> {
        let now = Moment::from(self.inner.world.now());
        let write = move |tx: &mut Transaction<'_>| {
            tx.put::<Readiness>(&Global, &"asked".to_owned(), &now).map_err(Error::from)
        };
        self.inner.store.write(write).await?;
        self.inner.uploads.probe().await?;
        // Nothing has this digest; that it is not there is what a store of blobs in order answers.
        let nothing = Digest::sha256(b"rookery: is it ready?");
        let answer = self.inner.blobs.size(&nothing).await;
        answer.map(drop).map_err(Error::disk("asking the store of blobs"))
    }

    pub(crate) fn note_collected(&self, more: Collected) {
        let mut collected = self.inner.collected.lock();
        collected.manifests += more.manifests;
        collected.links += more.links;
        collected.blobs += more.blobs;
        collected.bytes += more.bytes;
        collected.files += more.files;
    }
}

/// Writes a block, syncs it and takes it away. Blocks.
pub(crate) fn probe(path: &std::path::Path) -> io::Result<()> {
    let written = std::fs::File::create(path).and_then(|mut file| {
        io::Write::write_all(&mut file, &[0; 4096])?;
        file.sync_all()
    });
    let removed = crate::storage::local::remove_if_there(path);
    written.and(removed)
}
