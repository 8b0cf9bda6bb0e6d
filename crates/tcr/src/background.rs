//! The work that no request waits for: images that could not be signed when they were pushed, signatures and attachments
//! that are to go, content of deleted instances. All of it is rows in the store, so it survives the process.

use std::sync::Arc;

use tokio::sync::watch;

use crate::Tcr;
use crate::error::Error;
use crate::signing_queue::Which;

/// Withdrawn signatures taken at once.
const BATCH: usize = 100;

impl Tcr {
    /// Works off, until `stop` turns true or its sender is gone, what waits for a signature and what deletions have left over:
    /// everything at the start, since a process that ended may have left it, then what is due by the world's clock, which is
    /// looked at every [`Options::pulse`](crate::Options::pulse). Failures are logged and tried again.
    pub async fn run_signing_queue(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut which = Which::All;
        let pass = async {
            loop {
                self.work_off(which).await;
                which = Which::Due;
                tokio::time::sleep(self.pulse).await;
            }
        };
        // Receivers may be slow and images large, and nobody else is to wait for them.
        let sending = async {
            loop {
                note("sending webhooks", self.deliver_webhooks().await);
                note("synchronising instances", self.synchronise().await);
                tokio::time::sleep(self.pulse).await;
            }
        };
        // What is cut off in the middle is done again by the next run.
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => {}
            () = pass => {}
            () = sending => {}
        }
    }

    /// One pass of the background work.
    pub(crate) async fn work_off(&self, which: Which) {
        note("signing what was pushed", self.signing.work_off(which).await);
        note("withdrawing signatures", self.withdraw_signatures().await);
        note("deleting what hung on deleted images", self.clean_up_images().await);
        note("carrying out retention", self.carry_out_retention().await);
        note("collecting garbage", self.carry_out_collections().await);
        note("removing deleted instances", self.finish_removals().await);
    }

    async fn withdraw_signatures(&self) -> Result<(), Error> {
        for (scope, key) in self.signing.withdrawn(BATCH)? {
            self.signing.withdraw(&scope, &key).await?;
        }
        Ok(())
    }

    async fn clean_up_images(&self) -> Result<(), Error> {
        for (scope, key) in self.signing.orphaned()? {
            self.signing.clean_up(&scope, &key).await?;
        }
        Ok(())
    }

    async fn finish_removals(&self) -> Result<(), Error> {
        for (id, row) in self.unfinished_removals()? {
            self.finish_removal(&id, row).await?;
        }
        Ok(())
    }
}

fn note(doing: &'static str, done: Result<(), Error>) {
    if let Err(error) = done {
        let internal = rookery_gateway::Refusal::internal(&error);
        tracing::error!(doing, %error, internal, "background work failed; it will be tried again");
    }
}
