//! The timer of a connection that waits for the head of a request.
//!
//! HTTP asks for a timer before each request and gives it up when the head has come, almost always at once. One that is set and
//! taken back every time costs the runtime's timer wheel, and its lock, twice for each request; so a connection has a single one, which
//! keeps running and, when it ends, is set again to what is asked for by then.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use parking_lot::Mutex;

/// Gives the sleeps of one connection, of which one is awaited at a time.
#[derive(Clone, Default)]
pub(crate) struct HeadTimer {
    /// Made when first asked for.
    running: Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeadSleep { timer: self.clone(), deadline })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// Ends at its deadline, and not when the timer behind it does.
struct HeadSleep {
    timer: HeadTimer,
    deadline: Instant,
}

impl Sleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline.into();
        let mut running = self.timer.running.lock();
        let running = running.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if running.deadline() > deadline {
            running.as_mut().reset(deadline);
        }
        loop {
            ready!(running.as_mut().poll(context));
            if running.deadline() >= deadline {
                return Poll::Ready(());
            }
            running.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(75);

    #[tokio::test(start_paused = true)]
    async fn each_sleep_ends_at_its_own_deadline() {
        let timer = HeadTimer::default();
        let started = timer.now();
        for second in 0..200 {
            let mut sleep = timer.sleep(PATIENCE);
            // Asked once, and given up a second later: what a connection does that is never idle.
            assert!(polled_once(&mut sleep).await.is_pending());
            drop(sleep);
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!(timer.now() - started, Duration::from_secs(second + 1));
        }
        let before = timer.now();
        timer.sleep(PATIENCE).await;
        let waited = timer.now() - before;
        assert!(waited >= PATIENCE && waited < PATIENCE + Duration::from_millis(10), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_sleep_is_not_held_up_by_a_longer_one() {
        let timer = HeadTimer::default();
        let mut long = timer.sleep(PATIENCE);
        assert!(polled_once(&mut long).await.is_pending());
        let before = timer.now();
        timer.sleep(Duration::from_secs(1)).await;
        assert!(timer.now() - before < Duration::from_secs(2));
    }

    async fn polled_once(sleep: &mut Pin<Box<dyn Sleep>>) -> Poll<()> {
        std::future::poll_fn(|context| Poll::Ready(sleep.as_mut().poll(context))).await
    }
}
