//! A part of a file, read as it is sent. What the page cache has is read at once, by system calls that refuse to wait for the disk; only
//! what they refuse goes to a thread that may wait, and then a piece ahead.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::{ReadWriteFlags, preadv2};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::buffers::{Buffer, SIZE};

/// The part, and how far it is.
#[derive(Debug)]
pub(crate) struct FilePart {
    next: Next,
    /// Where in the file the next piece begins that was not handed out yet.
    position: u64,
    /// Bytes not handed out yet.
    remaining: u64,
    /// The last piece was not in the page cache.
    cold: bool,
}

#[derive(Debug)]
enum Next {
    /// To be read.
    Unread(File),
    Read(File, Bytes),
    Reading(JoinHandle<io::Result<(File, Bytes)>>),
    /// Handed out or failed.
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
        let mut part = Self { next: Next::Over, position: start, remaining: length, cold: false };
        if length > 0 {
            let piece = read_now(&file, start, part.piece())?;
            part.next = Next::Read(file, piece);
        }
        Some(part)
    }

    /// `length` bytes of `file` from `start`, which must be there. Reads the first of them, and so blocks.
    pub(crate) fn open(file: File, start: u64, length: u64) -> io::Result<Self> {
        let mut part = Self { next: Next::Over, position: start, remaining: length, cold: true };
        if length > 0 {
            let (file, piece) = read(file, start, part.piece())?;
            part.next = Next::Read(file, piece);
        }
        Ok(part)
    }

    /// Bytes not handed out yet.
    pub(crate) fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Everything, if that is a single piece.
    pub(crate) fn whole(self) -> Result<Bytes, Self> {
        match self.next {
            Next::Read(_, piece) if piece.len() as u64 == self.remaining => Ok(piece),
            next => Err(Self { next, ..self }),
        }
    }

    /// The length of the next piece.
    fn piece(&self) -> usize {
        usize::try_from(self.remaining).unwrap_or(SIZE).min(SIZE)
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let read = match std::mem::replace(&mut self.next, Next::Over) {
            Next::Over => return Poll::Ready(None),
            Next::Read(file, piece) => Ok((file, piece)),
            Next::Unread(file) => match read_now(&file, self.position, self.piece()) {
                Some(piece) => Ok((file, piece)),
                None => return self.wait_for(self.read_on_a_thread(file), context),
            },
            Next::Reading(reading) => return self.wait_for(reading, context),
        };
        Poll::Ready(Some(self.hand_out(read)))
    }

    fn wait_for(
        &mut self,
        mut reading: JoinHandle<io::Result<(File, Bytes)>>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        self.cold = true;
        let Poll::Ready(read) = Pin::new(&mut reading).poll(context) else {
            self.next = Next::Reading(reading);
            return Poll::Pending;
        };
        Poll::Ready(Some(self.hand_out(read.unwrap_or_else(|error| Err(io::Error::other(error))))))
    }

    fn hand_out(&mut self, read: io::Result<(File, Bytes)>) -> io::Result<Bytes> {
        let (file, piece) = match read {
            Ok(read) => read,
            Err(error) => {
                self.remaining = 0;
                return Err(error);
            }
        };
        self.remaining = self.remaining.saturating_sub(piece.len() as u64);
        self.position += piece.len() as u64;
        if self.remaining > 0 {
            self.next = self.prepare(file);
        }
        Ok(piece)
    }

    /// The next piece, to be read when it is wanted, or, where the disk is slow, ahead of that.
    fn prepare(&mut self, file: File) -> Next {
        if !self.cold {
            return Next::Unread(file);
        }
        match read_now(&file, self.position, self.piece()) {
            Some(piece) => {
                self.cold = false;
                Next::Read(file, piece)
            }
            None => Next::Reading(self.read_on_a_thread(file)),
        }
    }

    fn read_on_a_thread(&self, file: File) -> JoinHandle<io::Result<(File, Bytes)>> {
        let (position, length) = (self.position, self.piece());
        spawn_blocking(move || read(file, position, length))
    }
}

/// Reads a piece; a thread may wait here for the disk.
fn read(file: File, position: u64, length: usize) -> io::Result<(File, Bytes)> {
    let mut buffer = Buffer::of(length);
    // A file that is shorter than its row says is an honest error, which breaks the connection, so nobody takes it for complete.
    file.read_exact_at(buffer.as_mut(), position)?;
    Ok((file, buffer.into()))
}

/// Reads a piece, if all of it is in the page cache.
fn read_now(file: &File, position: u64, length: usize) -> Option<Bytes> {
    let mut buffer = Buffer::of(length);
    let read = preadv2(file, &mut [IoSliceMut::new(buffer.as_mut())], position, ReadWriteFlags::NOWAIT);
    (read == Ok(length)).then(|| buffer.into())
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
        let bytes = content(PIECE * 3 + 5);
        let length = bytes.len() as u64;
        let mut part = FilePart::open(file_of(&bytes).reopen().expect("open"), 0, length).expect("read");
        let mut read = Vec::new();
        while part.remaining() > 0 {
            // As if the page cache refused each time.
            part.next = match std::mem::replace(&mut part.next, Next::Over) {
                Next::Unread(file) | Next::Read(file, _) => Next::Reading(part.read_on_a_thread(file)),
                next => next,
            };
            let piece = std::future::poll_fn(|context| part.poll(context)).await;
            read.extend_from_slice(&piece.expect("a piece").expect("read"));
        }
        assert!(read == bytes);
        assert!(std::future::poll_fn(|context| part.poll(context)).await.is_none());
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
