//! Commands make one call and wait for it.

use std::io;

/// Runs a future of the SDK to its end on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}
