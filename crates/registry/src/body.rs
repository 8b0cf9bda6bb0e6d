//! Bodies: what comes in, and what goes out.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;

use crate::file_part::FilePart;

/// A request's body, whatever the server's own type is.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// The body of the registry's answers.
#[derive(Debug, Default)]
pub struct ResponseBody(Content);

#[derive(Debug, Default)]
enum Content {
    #[default]
    Empty,
    Bytes(Bytes),
    File(FilePart),
    Remote(RemoteContent),
}

/// What another server sends, handed on as it comes.
#[derive(Debug)]
struct RemoteContent {
    body: UnsyncBoxBody<Bytes, io::Error>,
    /// Bytes that have not come yet.
    remaining: u64,
}

impl ResponseBody {
    pub(crate) fn bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self(if bytes.is_empty() { Content::Empty } else { Content::Bytes(bytes) })
    }

    /// A body of another server that must have `length` bytes.
    pub(crate) fn remote(body: UnsyncBoxBody<Bytes, io::Error>, length: u64) -> Self {
        Self(Content::Remote(RemoteContent { body, remaining: length }))
    }

    /// `length` bytes of `file` from `start`, which must be there. Reads the first of them, and so blocks.
    pub fn part_of(file: File, start: u64, length: u64) -> io::Result<Self> {
        Ok(Self::file(FilePart::open(file, start, length)?))
    }

    pub(crate) fn file(part: FilePart) -> Self {
        match part.whole() {
            Ok(bytes) => Self::bytes(bytes),
            Err(part) if part.remaining() == 0 => Self::default(),
            Err(part) => Self(Content::File(part)),
        }
    }
}

impl RemoteContent {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        loop {
            let outcome = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    let left = self.remaining.checked_sub(data.len() as u64);
                    left.map(|left| (left, data)).ok_or_else(|| io::ErrorKind::InvalidData.into())
                }
                Some(Err(error)) => Err(error),
                // Shorter than it said: an error breaks the connection, so nobody takes it for complete.
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            };
            self.remaining = outcome.as_ref().map_or(0, |(left, _)| *left);
            return Poll::Ready(Some(outcome.map(|(_, data)| data)));
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Content::File(part) = &mut self.0 {
            return part.poll(context).map_ok(Frame::data);
        }
        if let Content::Remote(remote) = &mut self.0 {
            return remote.poll(context).map_ok(Frame::data);
        }
        match std::mem::take(&mut self.0) {
            Content::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Content::Empty | Content::File(_) | Content::Remote(_) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match &self.0 {
            Content::Empty => 0,
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(part) => part.remaining(),
            Content::Remote(remote) => remote.remaining,
        })
    }
}
