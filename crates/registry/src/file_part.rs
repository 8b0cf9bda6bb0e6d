//! A part of a file, read as it is sent. What the page cache has of a short one is read at once, by system calls that refuse to wait for
//! the disk. What they refuse, and most of a long one, is read by a thread that may wait, ahead of the sending.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::{ReadWriteFlags, preadv2};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::buffers::{Buffer, SIZE};

/// Of what is longer, the pieces are read by a second thread: one that reads and sends is slower by a third. For what is shorter, waking
/// it costs more than it brings.
const LONG: u64 = 4 * 1024 * 1024;

/// Pieces that the thread reads before it hands them over.
const AT_ONCE: usize = 2;

/// The part, and how far it is.
#[derive(Debug)]
pub(crate) struct FilePart {
    /// Pieces that were read and not handed out yet.
    read: VecDeque<Bytes>,
    source: Source,
    /// Where in the file the next piece begins that nobody has begun to read.
    position: u64,
    /// Bytes from there on.
    unread: u64,
    /// Bytes not handed out yet.
    remaining: u64,
    /// The last piece that was asked for was not in the page cache.
    cold: bool,
}

#[derive(Debug)]
enum Source {
    Idle(File),
    Reading(JoinHandle<io::Result<(File, VecDeque<Bytes>)>>),
    /// Read to its end, or failed.
    Over,
}

impl FilePart {
    /// `length` bytes of the file from `start`, if it can be opened and read without waiting. Files of another size than `size` are left
    /// to whoever can say what is wrong with them.
    pub(crate) fn open_now(path: &Path, size: u64, start: u64, length: u64) -> Option<Self> {
        let file = openat2(
            CWD,
            path,
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
            // Fails where a directory on the way would have to be read from the disk.
            ResolveFlags::CACHED,
        );
        let file = File::from(file.ok()?);
        if file.metadata().ok()?.len() != size {
            return None;
        }
        let mut part = Self::of(file, start, length, false);
        (length == 0 || part.read_now()).then_some(part)
    }

    /// `length` bytes of `file` from `start`, which must be there. Reads the first of them, and so blocks.
    pub(crate) fn open(file: File, start: u64, length: u64) -> io::Result<Self> {
        let mut part = Self::of(file, start, length, true);
        if length > 0
            && let Source::Idle(file) = std::mem::replace(&mut part.source, Source::Over)
        {
            let first = part.next_piece();
            let (file, pieces) = read(file, part.position, &[first])?;
            part.skip(first);
            (part.source, part.read) = (Source::Idle(file), pieces);
        }
        Ok(part)
    }

    fn of(file: File, start: u64, length: u64, cold: bool) -> Self {
        let (read, source) = (VecDeque::new(), Source::Idle(file));
        Self { read, source, position: start, unread: length, remaining: length, cold }
    }

    /// Bytes not handed out yet.
    pub(crate) fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Everything, if that is a single piece.
    pub(crate) fn whole(mut self) -> Result<Bytes, Self> {
        match self.read.pop_front() {
            Some(piece) if piece.len() as u64 == self.remaining => Ok(piece),
            Some(piece) => {
                self.read.push_front(piece);
                Err(self)
            }
            None => Err(self),
        }
    }

    /// The length of the next piece to be read.
    fn next_piece(&self) -> usize {
        usize::try_from(self.unread).unwrap_or(SIZE).min(SIZE)
    }

    fn skip(&mut self, length: usize) {
        self.position += length as u64;
        self.unread = self.unread.saturating_sub(length as u64);
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        if self.read.is_empty() && !self.read_now() {
            self.cold = true;
            self.read_on_a_thread();
            let Source::Reading(reading) = &mut self.source else {
                return Poll::Ready(Some(self.fail(io::ErrorKind::UnexpectedEof.into())));
            };
            match ready!(Pin::new(reading).poll(context)) {
                Ok(Ok((file, pieces))) => (self.source, self.read) = (Source::Idle(file), pieces),
                Ok(Err(error)) => return Poll::Ready(Some(self.fail(error))),
                Err(error) => return Poll::Ready(Some(self.fail(io::Error::other(error)))),
            }
        }
        let Some(piece) = self.read.pop_front() else {
            return Poll::Ready(Some(self.fail(io::ErrorKind::UnexpectedEof.into())));
        };
        self.remaining = self.remaining.saturating_sub(piece.len() as u64);
        if self.unread > LONG || (self.cold && !self.read_now()) {
            self.read_on_a_thread();
        }
        Poll::Ready(Some(Ok(piece)))
    }

    fn fail<T>(&mut self, error: io::Error) -> io::Result<T> {
        (self.source, self.remaining) = (Source::Over, 0);
        Err(error)
    }

    /// Reads the next piece, if nobody reads and all of it is in the page cache; says whether it did.
    fn read_now(&mut self) -> bool {
        let Source::Idle(file) = &self.source else { return false };
        let length = self.next_piece();
        let mut buffer = Buffer::of(length);
        let slices = &mut [IoSliceMut::new(buffer.as_mut())];
        if length == 0 || preadv2(file, slices, self.position, ReadWriteFlags::NOWAIT) != Ok(length) {
            return false;
        }
        self.skip(length);
        self.cold = false;
        self.read.push_back(buffer.into());
        true
    }

    /// Begins to read the next pieces, unless that has begun.
    fn read_on_a_thread(&mut self) {
        self.source = match std::mem::replace(&mut self.source, Source::Over) {
            Source::Idle(file) if self.unread > 0 => {
                let (position, mut lengths) = (self.position, Vec::with_capacity(AT_ONCE));
                while lengths.len() < AT_ONCE && self.unread > 0 {
                    let length = self.next_piece();
                    self.skip(length);
                    lengths.push(length);
                }
                Source::Reading(spawn_blocking(move || read(file, position, &lengths)))
            }
            source => source,
        };
    }
}

/// Reads pieces of these lengths; a thread may wait here for the disk.
fn read(file: File, mut position: u64, lengths: &[usize]) -> io::Result<(File, VecDeque<Bytes>)> {
    let mut pieces = VecDeque::with_capacity(lengths.len());
    for length in lengths {
        let mut buffer = Buffer::of(*length);
        // A file that is shorter than its row says is an honest error, which breaks the connection, so nobody takes it for complete.
        file.read_exact_at(buffer.as_mut(), position)?;
        position += *length as u64;
        pieces.push_back(buffer.into());
    }
    Ok((file, pieces))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use http_body::Body as _;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::body::ResponseBody;

    const PIECE: u64 = SIZE as u64;

    fn content(length: u64) -> Vec<u8> {
        (0..length).map(|index| (index % 251) as u8).collect()
    }

    fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes).expect("written");
        file
    }

    /// The part as both ways of opening it give it. What was just written is in the page cache, so neither is refused.
    fn opened(bytes: &[u8], start: u64, length: u64) -> [ResponseBody; 2] {
        let file = file_of(bytes);
        let now =
            FilePart::open_now(file.path(), bytes.len() as u64, start, length).expect("in the page cache");
        let waited = FilePart::open(file.reopen().expect("open"), start, length).expect("read");
        [now, waited].map(ResponseBody::file)
    }

    #[tokio::test]
    async fn a_file_arrives_in_large_frames() {
        let bytes = content(PIECE * 3 + 5);
        for mut body in opened(&bytes, 0, bytes.len() as u64) {
            assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
            let first = body.frame().await.expect("a frame").expect("read").into_data().expect("data");
            assert_eq!(first.len() as u64, PIECE);
            assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64 - PIECE));
            let rest = body.collect().await.expect("read").to_bytes();
            assert!([first, rest].concat() == bytes);
        }
    }

    #[tokio::test]
    async fn what_is_not_in_the_page_cache_is_read_by_a_thread() {
        let bytes = content(PIECE * 5 + 5);
        let length = bytes.len() as u64;
        let mut part = FilePart::open(file_of(&bytes).reopen().expect("open"), 0, length).expect("read");
        let mut read = Vec::new();
        while part.remaining() > 0 {
            // As if the page cache refused each time.
            part.read_on_a_thread();
            let piece = std::future::poll_fn(|context| part.poll(context)).await;
            read.extend_from_slice(&piece.expect("a piece").expect("read"));
        }
        assert!(read == bytes);
        assert!(std::future::poll_fn(|context| part.poll(context)).await.is_none());
    }

    #[tokio::test]
    async fn a_long_file_arrives_whole() {
        let bytes = content(LONG + PIECE * 3 + 7);
        for body in opened(&bytes, 0, bytes.len() as u64) {
            assert!(body.collect().await.expect("read").to_bytes() == bytes);
        }
        for body in opened(&bytes, 3, LONG + PIECE) {
            let sent = body.collect().await.expect("read").to_bytes();
            assert!(Some(&*sent) == bytes.get(3..3 + usize::try_from(LONG).expect("fits") + SIZE));
        }
    }

    #[tokio::test]
    async fn a_part_of_a_file_arrives() {
        for body in opened(b"0123456789", 3, 4) {
            assert_eq!(body.collect().await.expect("read").to_bytes(), "3456");
        }
        for nothing in opened(b"0123456789", 3, 0) {
            assert!(nothing.is_end_stream());
        }
        let bytes = content(PIECE * 3);
        for body in opened(&bytes, 7, PIECE * 2) {
            let sent = body.collect().await.expect("read").to_bytes();
            assert!(Some(&*sent) == bytes.get(7..7 + SIZE * 2));
        }
    }

    #[tokio::test]
    async fn a_file_that_is_too_short_is_an_error() {
        let short = file_of(b"0123");
        assert!(FilePart::open(short.reopen().expect("open"), 0, 5).is_err());
        assert!(FilePart::open_now(short.path(), 5, 0, 5).is_none());
        // It was as long as its row says when it was opened.
        let file = file_of(&content(PIECE * 3));
        let part = FilePart::open_now(file.path(), PIECE * 3, 0, PIECE * 3).expect("in the page cache");
        file.as_file().set_len(PIECE + 1).expect("cut");
        assert!(ResponseBody::file(part).collect().await.is_err());
        let part = FilePart::open(file.reopen().expect("open"), 0, PIECE + 2).expect("read");
        assert!(ResponseBody::file(part).collect().await.is_err());
    }

    #[test]
    fn what_is_not_there_is_left_to_the_thread() {
        assert!(FilePart::open_now(Path::new("/there/is/no/such/file"), 1, 0, 1).is_none());
    }
}
