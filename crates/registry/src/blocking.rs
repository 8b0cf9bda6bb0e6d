//! Waiting for the store on a thread that may block.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future that is woken by another thread and needs no runtime: a transaction is one.
pub(crate) fn wait_for<F: Future>(future: F) -> F::Output {
    let (mut future, waker) = (pin!(future), Waker::from(Arc::new(Unpark(thread::current()))));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_thread_sends_arrives() {
        let (send, receive) = tokio::sync::oneshot::channel();
        let sender = thread::spawn(move || send.send(7));
        assert_eq!(wait_for(receive), Ok(7));
        assert_eq!(sender.join().expect("ended"), Ok(()));
    }
}
