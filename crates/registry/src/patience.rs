//! Bodies whose sender has to send something now and then.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// The sender sent nothing for too long.
#[derive(Debug, thiserror::Error)]
#[error("nothing came for too long")]
pub(crate) struct Stalled;

/// A body that fails with [`Stalled`] when nothing of it comes for a while.
pub(crate) struct Patient<B> {
    body: Pin<Box<B>>,
    patience: Duration,
    /// Made when the sender is waited for the first time.
    sleep: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<B> Patient<B> {
    pub(crate) fn new(body: B, patience: Duration) -> Self {
        Self { body: Box::pin(body), patience, sleep: None, waiting: false }
    }
}

impl<B> Body for Patient<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = this.body.as_mut().poll_frame(context) {
            this.waiting = false;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = this.patience;
        let sleep = this.sleep.get_or_insert_with(|| Box::pin(sleep(patience)));
        if !this.waiting {
            this.waiting = true;
            sleep.as_mut().reset(Instant::now() + patience);
        }
        sleep.as_mut().poll(context).map(|()| Some(Err(Stalled.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    fn frame() -> Frame<Bytes> {
        Frame::data(Bytes::from_static(b"x"))
    }

    #[tokio::test]
    async fn slow_is_not_stalled() {
        let slowly = stream::iter(0..5).then(|_| async {
            sleep(Duration::from_millis(5)).await;
            Ok::<_, std::io::Error>(frame())
        });
        let body = Patient::new(StreamBody::new(slowly), Duration::from_hours(1));
        assert_eq!(body.collect().await.expect("whole").to_bytes(), "xxxxx");
    }

    #[tokio::test]
    async fn what_came_before_the_silence_is_handed_on() {
        let silent = stream::iter([Ok::<_, std::io::Error>(frame())]).chain(stream::pending());
        let mut body = Patient::new(StreamBody::new(silent), Duration::from_millis(20));
        assert!(body.frame().await.expect("a frame").is_ok());
        let stalled = body.frame().await.expect("an error").expect_err("stalled");
        assert!(stalled.is::<Stalled>());
    }
}
