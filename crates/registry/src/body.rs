//! Bodies: what comes in, and what goes out.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use parking_lot::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};

/// A request's body, whatever the server's own type is.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Bytes read from a file at once. Larger frames than the usual 4 to 16 KiB are what makes a download as fast as the disk.
const READ: u64 = 512 * 1024;

/// How many buffers wait for the next read. Without them each read asks the kernel for pages, which it has to clear first.
const IDLE_BUFFERS: usize = 8;

/// Buffers of [`READ`] bytes.
static IDLE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// What one read fills. One of the full size goes back among the idle ones when the last who has a part of it is done.
#[derive(Debug)]
struct Buffer(Vec<u8>);

impl Buffer {
    fn of(length: u64) -> Self {
        let idle = if length == READ { IDLE.lock().pop() } else { None };
        Self(idle.unwrap_or_else(|| vec![0; usize::try_from(length).unwrap_or_default()]))
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.0.len() as u64 == READ {
            let mut idle = IDLE.lock();
            if idle.len() < IDLE_BUFFERS {
                idle.push(std::mem::take(&mut self.0));
            }
        }
    }
}

/// The body of the registry's answers.
#[derive(Debug, Default)]
pub struct ResponseBody(Content);

#[derive(Debug, Default)]
enum Content {
    #[default]
    Empty,
    Bytes(Bytes),
    File(FileContent),
    Remote(RemoteContent),
}

/// What another server sends, handed on as it comes.
#[derive(Debug)]
struct RemoteContent {
    body: UnsyncBoxBody<Bytes, io::Error>,
    /// Bytes that have not come yet.
    remaining: u64,
}

/// A part of a file, read ahead by one buffer.
#[derive(Debug)]
struct FileContent {
    ahead: Ahead,
    /// Bytes not sent yet, those being read included.
    remaining: u64,
}

#[derive(Debug)]
enum Ahead {
    Read(Option<(File, Bytes)>),
    Reading(JoinHandle<io::Result<(File, Bytes)>>),
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
    pub(crate) fn file(mut file: File, start: u64, length: u64) -> io::Result<Self> {
        if length == 0 {
            return Ok(Self::default());
        }
        if start > 0 {
            file.seek(SeekFrom::Start(start))?;
        }
        let (file, buffer) = read(file, length.min(READ))?;
        if buffer.len() as u64 == length {
            return Ok(Self::bytes(buffer));
        }
        Ok(Self(Content::File(FileContent { ahead: Ahead::Read(Some((file, buffer))), remaining: length })))
    }
}

fn read(mut file: File, length: u64) -> io::Result<(File, Bytes)> {
    let mut buffer = Buffer::of(length);
    // A file that is shorter than its row says is an honest error, which breaks the connection, so nobody takes it for complete.
    file.read_exact(&mut buffer.0)?;
    Ok((file, Bytes::from_owner(buffer)))
}

impl FileContent {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        let done = match &mut self.ahead {
            Ahead::Read(buffer) => buffer.take().ok_or_else(|| io::ErrorKind::UnexpectedEof.into()),
            Ahead::Reading(reading) => match ready!(Pin::new(reading).poll(context)) {
                Ok(done) => done,
                Err(error) => Err(io::Error::other(error)),
            },
        };
        match done {
            Ok((file, buffer)) => {
                self.remaining = self.remaining.saturating_sub(buffer.len() as u64);
                if self.remaining > 0 {
                    let next = self.remaining.min(READ);
                    self.ahead = Ahead::Reading(spawn_blocking(move || read(file, next)));
                }
                Poll::Ready(Some(Ok(buffer)))
            }
            Err(error) => {
                self.remaining = 0;
                Poll::Ready(Some(Err(error)))
            }
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
        if let Content::File(file) = &mut self.0 {
            return file.poll(context).map_ok(Frame::data);
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
            Content::File(file) => file.remaining,
            Content::Remote(remote) => remote.remaining,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::io::Write;

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file.rewind().expect("rewound");
        file
    }

    #[tokio::test]
    async fn a_file_arrives_in_large_frames() {
        let bytes: Vec<u8> = (0..READ * 2 + 5).map(|index| (index % 251) as u8).collect();
        let mut body = ResponseBody::file(file_of(&bytes), 0, bytes.len() as u64).expect("read");
        assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
        let first = body.frame().await.expect("a frame").expect("read").into_data().expect("data");
        assert_eq!(first.len() as u64, READ);
        let rest = body.collect().await.expect("read").to_bytes();
        assert_eq!([first, rest].concat(), bytes);
    }

    #[tokio::test]
    async fn a_buffer_that_was_used_before_shows_nothing_of_it() {
        let length = usize::try_from(READ).expect("fits") * 2;
        for byte in [1_u8, 2, 3] {
            let body = ResponseBody::file(file_of(&vec![byte; length]), 0, length as u64).expect("read");
            let sent = body.collect().await.expect("read").to_bytes();
            assert!(sent.len() == length && sent.iter().all(|sent| *sent == byte));
            assert!(IDLE.lock().len() <= IDLE_BUFFERS);
        }
    }

    #[tokio::test]
    async fn a_part_of_a_file_arrives() {
        let body = ResponseBody::file(file_of(b"0123456789"), 3, 4).expect("read");
        assert_eq!(body.collect().await.expect("read").to_bytes(), "3456");
        let nothing = ResponseBody::file(file_of(b"0123456789"), 3, 0).expect("read");
        assert!(nothing.is_end_stream());
    }

    #[tokio::test]
    async fn a_file_that_is_too_short_is_an_error() {
        assert!(ResponseBody::file(file_of(b"0123"), 0, 5).is_err());
        let long = vec![0; usize::try_from(READ).expect("fits") + 1];
        let body = ResponseBody::file(file_of(&long), 0, READ + 2).expect("read");
        assert!(body.collect().await.is_err());
    }
}
