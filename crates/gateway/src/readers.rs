//! Clients that do not read what they asked for. They would keep files, buffers and a connection for as long as they like.
//!
//! Where the other end has no room for more, the kernel sees it, and ends the connection ([`limit`]). It costs nothing, and is not strict: a
//! system announces room again when a sixteenth of its receive buffer has been read. Over HTTP/2 a client may go on taking bytes and still
//! shut the window of every answer, so such connections count what is taken ([`Taking`]) and look at the count once in a while.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::net::TcpStream;

/// The largest piece handed to HTTP/2 at once: whoever takes less of an answer within the patience is not reading.
const PIECE: usize = 64 * 1024;

/// Lets the kernel end a connection whose other end has not acknowledged, or has no room for, what was sent for `patience`.
pub(crate) fn limit(stream: &TcpStream, patience: Duration) -> io::Result<()> {
    // The kernel's own type is signed.
    let milliseconds = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
    let milliseconds = milliseconds.unsigned_abs();
    Ok(rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds)?)
}

/// What is taken of the answers on one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taking(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Answers of which there is more, and nobody asks for it.
    offered: AtomicUsize,
    /// Grows with every piece taken, and every answer begun.
    taken: AtomicU64,
}

impl Taking {
    /// How far the client is.
    pub(crate) fn mark(&self) -> u64 {
        self.0.taken.load(Ordering::Relaxed)
    }

    /// Whether there was more for the client to take than at `mark`, and it took nothing.
    pub(crate) fn has_stalled(&self, mark: u64) -> bool {
        self.0.offered.load(Ordering::Relaxed) > 0 && self.mark() == mark
    }
}

/// The body of an answer whose pieces are counted, where `taking` says where.
pub(crate) struct Taken<B> {
    body: B,
    /// What of the last frame has not been asked for.
    rest: Bytes,
    taking: Option<Taking>,
    offered: bool,
}

impl<B: Body<Data = Bytes>> Taken<B> {
    pub(crate) fn new(body: B, taking: Option<Taking>) -> Self {
        let more = !body.is_end_stream();
        let mut taken = Self { body, rest: Bytes::new(), taking, offered: false };
        taken.offer(more);
        taken
    }
}

impl<B> Taken<B> {
    /// Notes that something happened, and whether there is more for the client.
    fn offer(&mut self, more: bool) {
        let Some(Taking(counts)) = &self.taking else { return };
        counts.taken.fetch_add(1, Ordering::Relaxed);
        match (self.offered, more) {
            (false, true) => counts.offered.fetch_add(1, Ordering::Relaxed),
            (true, false) => counts.offered.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
        self.offered = more;
    }
}

impl<B> Drop for Taken<B> {
    fn drop(&mut self) {
        self.offer(false);
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Taken<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        if this.taking.is_none() {
            return Pin::new(&mut this.body).poll_frame(context);
        }
        let frame = if this.rest.is_empty() {
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    // Now it is the client that waits.
                    this.offer(false);
                    return Poll::Pending;
                }
            }
        } else {
            Some(Ok(Frame::data(std::mem::take(&mut this.rest))))
        };
        let frame = frame.map(|frame| {
            frame.map(|frame| match frame.into_data() {
                Ok(mut data) => {
                    this.rest = data.split_off(data.len().min(PIECE));
                    Frame::data(data)
                }
                Err(frame) => frame,
            })
        });
        let more = matches!(frame, Some(Ok(_))) && !this.is_end_stream();
        this.offer(more);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    fn full(length: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![7; length]))
    }

    #[tokio::test]
    async fn whoever_takes_a_piece_in_time_reads() {
        let taking = Taking::default();
        let idle = taking.mark();
        assert!(!taking.has_stalled(idle), "there is nothing to take");
        let mut body = Taken::new(full(2 * PIECE + 1), Some(taking.clone()));
        assert!(!taking.has_stalled(idle), "it has only just begun");
        let begun = taking.mark();
        assert!(taking.has_stalled(begun));
        let mut lengths = Vec::new();
        loop {
            let before = taking.mark();
            assert_eq!(
                body.size_hint().exact(),
                Some((2 * PIECE + 1 - lengths.iter().sum::<usize>()) as u64)
            );
            let Some(frame) = body.frame().await else { break };
            lengths.push(frame.unwrap().into_data().unwrap().len());
            assert!(!taking.has_stalled(before));
        }
        assert_eq!(lengths, [PIECE, PIECE, 1]);
        assert!(body.is_end_stream() && !taking.has_stalled(taking.mark()), "it has taken everything");
    }

    #[tokio::test]
    async fn an_answer_that_nobody_wants_any_more_is_not_waited_for() {
        let taking = Taking::default();
        let body = Taken::new(full(PIECE), Some(taking.clone()));
        assert!(taking.has_stalled(taking.mark()));
        drop(body);
        assert!(!taking.has_stalled(taking.mark()));
    }

    /// A body whose server needs a while.
    struct Late {
        waited: bool,
        data: Option<Bytes>,
    }

    impl Body for Late {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
            if std::mem::replace(&mut self.waited, true) {
                Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
            } else {
                Poll::Pending
            }
        }

        fn is_end_stream(&self) -> bool {
            self.data.is_none()
        }
    }

    #[test]
    fn a_server_that_has_nothing_yet_blames_nobody() {
        let taking = Taking::default();
        let late = Late { waited: false, data: Some(Bytes::from(vec![7; 2 * PIECE])) };
        let mut body = Taken::new(late, Some(taking.clone()));
        let mut poll = || Pin::new(&mut body).poll_frame(&mut Context::from_waker(std::task::Waker::noop()));
        assert!(poll().is_pending() && !taking.has_stalled(taking.mark()));
        assert!(poll().is_ready() && taking.has_stalled(taking.mark()));
        assert!(poll().is_ready() && !taking.has_stalled(taking.mark()));
    }

    #[tokio::test]
    async fn over_http_1_frames_stay_whole() {
        let body = Taken::new(full(3 * PIECE), None);
        assert_eq!(body.size_hint().exact(), Some(3 * PIECE as u64));
        let mut body = body;
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 3 * PIECE);
    }
}
