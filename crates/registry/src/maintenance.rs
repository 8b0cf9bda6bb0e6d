//! The work that nobody asks for: abandoned uploads and past tags that have had their time.

use std::time::SystemTime;

use tokio::sync::watch;

use crate::errors::Error;
use crate::{Registry, expiry_seconds};

impl Registry {
    /// Drops the uploads on which nothing was written for [`Options::upload_expiry`](crate::Options::upload_expiry); says how many.
    /// An upload that a request is writing to stays.
    pub async fn sweep_uploads(&self) -> Result<usize, Error> {
        let now = SystemTime::from(self.inner.world.now());
        self.inner.uploads.sweep(expiry_seconds(self.inner.upload_expiry), now).await
    }

    /// Gives up what a crash left half-done in the place of the blobs for [`Options::upload_expiry`](crate::Options::upload_expiry):
    /// parts in a bucket, which nobody sees and somebody pays for. Says how many.
    pub async fn sweep_parts(&self) -> Result<usize, Error> {
        let now = SystemTime::from(self.inner.world.now());
        let swept = self.inner.blobs.abandon(expiry_seconds(self.inner.upload_expiry), now).await;
        swept.map_err(Error::disk("giving up half-done uploads"))
    }

    /// Sweeps abandoned uploads and forgets past tags, at once and then every
    /// [`Options::maintenance_pulse`](crate::Options::maintenance_pulse), until `stop` turns true or its sender is gone. What
    /// fails is logged and tried again.
    pub async fn run_maintenance(self, mut stop: watch::Receiver<bool>) {
        loop {
            self.maintain().await;
            tokio::select! {
                _ = stop.wait_for(|stopped| *stopped) => return,
                () = tokio::time::sleep(self.inner.maintenance_pulse) => {}
            }
        }
    }

    async fn maintain(&self) {
        match self.sweep_uploads().await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "abandoned uploads were dropped"),
            Err(error) => tracing::error!(%error, "abandoned uploads could not be dropped"),
        }
        match self.sweep_parts().await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "half-done uploads to the bucket were dropped"),
            Err(error) => tracing::error!(%error, "half-done uploads to the bucket could not be dropped"),
        }
        match self.forget_past_tags().await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "past tags were forgotten"),
            Err(error) => tracing::error!(%error, "past tags could not be forgotten"),
        }
    }
}
