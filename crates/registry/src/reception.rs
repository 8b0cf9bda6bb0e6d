//! Receiving a body into a file while hashing it: constant memory, whatever the length.
//!
//! A batch of the body is hashed on one blocking thread and written on another while the next is being received. No
//! thread waits for the network, so slow clients cost memory for two batches and nothing else.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, IoSlice, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::body::RequestBody;
use crate::buffers::Buffer;
use crate::digest::{Algorithm, Hasher};
use crate::errors::Error;
use crate::patience::Stalled;
use crate::storage::Durability;
use crate::storage::local::hash_file;

/// Bytes gathered before a batch is handed on.
const BATCH: usize = 1024 * 1024;

/// The disk is asked to start writing each time this many bytes have come, so that the end of the upload finds little left.
const WRITE_BACK: u64 = 64 * 1024 * 1024;

/// How far an upload is.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Bytes that are written and hashed.
    pub(crate) offset: u64,
    /// The hash of those bytes; `None` after a restart, until somebody needs it.
    pub(crate) hasher: Option<Hasher>,
    /// The upload was finished, cancelled or given up; its file is gone.
    pub(crate) closed: bool,
}

impl Progress {
    /// The hash so far, read back from the file if it is not known.
    pub(crate) async fn take_hasher(&mut self, path: &Path) -> Result<Hasher, Error> {
        if let Some(hasher) = self.hasher.take() {
            return Ok(hasher);
        }
        let (path, length) = (path.to_owned(), self.offset);
        spawn_blocking(move || hash_file(&path, length, Hasher::new(Algorithm::Sha256)))
            .await?
            .map_err(Error::disk("reading an upload back"))
    }
}

/// Where and how much to receive.
pub(crate) struct Reception {
    /// The upload's file, which exists.
    pub(crate) path: PathBuf,
    /// The exact length that the client announced for this chunk.
    pub(crate) announced: Option<u64>,
    /// Whether it will have to be durable.
    pub(crate) durability: Durability,
}

/// How a batch ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Full; there may be more.
    Full,
    /// The body is complete.
    Complete,
    /// The client stopped in the middle.
    Broken,
    /// The client sent nothing for too long.
    Stalled,
}

struct Batch {
    pieces: Vec<Bytes>,
    length: u64,
    end: End,
}

/// A body, and what has come of it and is in no batch yet.
struct Incoming {
    body: RequestBody,
    frame: Bytes,
}

impl Incoming {
    /// Copies what comes into buffers that are used again, until there are `room` bytes: a frame that is let go at once leaves its memory
    /// to the next one.
    async fn gather(&mut self, room: usize) -> Batch {
        let (mut pieces, mut length, mut buffer) = (Vec::new(), 0, None::<Buffer>);
        let end = loop {
            while length < room && !self.frame.is_empty() {
                let filling = buffer.get_or_insert_with(Buffer::empty);
                let part = self.frame.get(..room - length).unwrap_or(&self.frame);
                let taken = filling.append(part);
                self.frame.advance(taken);
                length += taken;
                if filling.is_full() {
                    pieces.extend(buffer.take().map(Bytes::from));
                }
            }
            if length == room {
                break End::Full;
            }
            // Gives its memory back, also that of what was read from it.
            self.frame = Bytes::new();
            match self.body.frame().await {
                None => break End::Complete,
                Some(Err(error)) if error.is::<Stalled>() => break End::Stalled,
                Some(Err(_)) => break End::Broken,
                Some(Ok(frame)) => self.frame = frame.into_data().unwrap_or_default(),
            }
        };
        pieces.extend(buffer.map(Bytes::from));
        Batch { pieces, length: length as u64, end }
    }
}

impl Reception {
    /// Appends `body` to the upload. On success the progress has moved on by the body's length. If the client breaks off,
    /// what came is kept, so that it can resume; if the disk fails or the length is not the announced one, the upload is
    /// as it was before.
    pub(crate) async fn append(
        &self,
        progress: &mut Progress,
        written: &AtomicU64,
        body: RequestBody,
    ) -> Result<(), Error> {
        let before = progress.offset;
        let mut incoming = Incoming { body, frame: Bytes::new() };
        let mut batch = incoming.gather(up_to_the_next_batch(before)).await;
        if batch.end == End::Complete && batch.length == 0 {
            return if self.announced.unwrap_or(0) == 0 { Ok(()) } else { Err(Error::SizeInvalid) };
        }
        let hasher = progress.take_hasher(&self.path).await?;
        progress.hasher = Some(hasher.clone());
        let file = self.open(before).await?;
        let mut pipeline = Pipeline::new(file, hasher, self.durability);
        let mut received = 0;
        let outcome = loop {
            let (end, pieces) = (batch.end, std::mem::take(&mut batch.pieces));
            received += batch.length;
            if self.announced.is_some_and(|announced| received > announced) {
                break Err(Error::SizeInvalid);
            }
            if let Err(error) = pipeline.feed(pieces, batch.length).await {
                break Err(error);
            }
            match end {
                End::Full => batch = incoming.gather(BATCH).await,
                End::Complete if self.announced.is_some_and(|announced| received < announced) => {
                    break Err(Error::SizeInvalid);
                }
                End::Complete => break Ok(()),
                End::Broken => break Err(Error::BodyIncomplete),
                End::Stalled => break Err(Error::BodyStalled),
            }
        };
        // Whatever happened, the threads are waited for: nobody writes to the file behind the next request's back.
        let finished = pipeline.finish().await;
        match (outcome, finished) {
            (outcome @ (Ok(()) | Err(Error::BodyIncomplete | Error::BodyStalled)), Ok(hasher)) => {
                progress.hasher = Some(hasher);
                progress.offset = before + received;
                written.store(progress.offset, Ordering::Relaxed);
                outcome
            }
            (Err(error), _) | (Ok(()), Err(error)) => {
                let path = self.path.clone();
                spawn_blocking(move || open_at(&path, before))
                    .await?
                    .map_err(Error::disk("undoing a chunk"))?;
                Err(error)
            }
        }
    }
}

impl Reception {
    /// Opens the upload to go on at `offset`.
    async fn open(&self, offset: u64) -> Result<File, Error> {
        let path = self.path.clone();
        spawn_blocking(move || open_at(&path, offset)).await?.map_err(|source| match source.kind() {
            ErrorKind::NotFound => Error::UploadUnknown,
            _ => Error::Disk { doing: "opening an upload", source },
        })
    }
}

/// The length of the first batch: all others begin at a multiple of their length, where the page cache takes them in few large pieces.
fn up_to_the_next_batch(offset: u64) -> usize {
    BATCH - usize::try_from(offset % BATCH as u64).unwrap_or_default()
}

/// Opens an upload for writing at `offset`, without whatever an earlier failure left behind it. Blocks.
fn open_at(path: &Path, offset: u64) -> std::io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.len() != offset {
        file.set_len(offset)?;
    }
    file.seek(SeekFrom::Start(offset))?;
    Ok(file)
}

/// Writes the pieces with as few calls as the kernel lets it be.
fn write_whole(file: &mut File, pieces: &[Bytes]) -> std::io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut left = slices.as_mut_slice();
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The batch that is being hashed and written. A handle is missing only after its step has failed.
struct Pipeline {
    hashing: Option<JoinHandle<Hasher>>,
    writing: Option<JoinHandle<std::io::Result<File>>>,
    write_back: Option<JoinHandle<std::io::Result<()>>>,
    since_write_back: u64,
    durability: Durability,
}

impl Pipeline {
    fn new(file: File, hasher: Hasher, durability: Durability) -> Self {
        Self {
            hashing: Some(spawn_blocking(move || hasher)),
            writing: Some(spawn_blocking(move || Ok(file))),
            write_back: None,
            since_write_back: 0,
            durability,
        }
    }

    /// Waits for the batch before, then starts this one. Fails with what went wrong with the one before.
    async fn feed(&mut self, pieces: Vec<Bytes>, length: u64) -> Result<(), Error> {
        let mut hasher = self.hashed().await?;
        let same = pieces.clone();
        self.hashing = Some(spawn_blocking(move || {
            for piece in &same {
                hasher.update(piece);
            }
            hasher
        }));
        let mut file = self.written().await?;
        self.since_write_back += length;
        if self.durability == Durability::Strict
            && self.since_write_back >= WRITE_BACK
            && self.write_back.as_ref().is_none_or(JoinHandle::is_finished)
        {
            self.since_write_back = 0;
            self.written_back().await?;
            let same = file.try_clone().map_err(Error::disk("writing an upload"))?;
            self.write_back = Some(spawn_blocking(move || same.sync_data()));
        }
        self.writing = Some(spawn_blocking(move || {
            write_whole(&mut file, &pieces)?;
            Ok(file)
        }));
        Ok(())
    }

    async fn hashed(&mut self) -> Result<Hasher, Error> {
        let hashing = self.hashing.take().ok_or(Error::Interrupted)?;
        Ok(hashing.await?)
    }

    async fn written(&mut self) -> Result<File, Error> {
        let writing = self.writing.take().ok_or(Error::Interrupted)?;
        writing.await?.map_err(Error::disk("writing an upload"))
    }

    /// The kernel reports a failed write-back once only, so each result counts.
    async fn written_back(&mut self) -> Result<(), Error> {
        match self.write_back.take() {
            Some(running) => running.await?.map_err(Error::disk("writing an upload back")),
            None => Ok(()),
        }
    }

    /// Waits for every thread before it says how it went.
    async fn finish(mut self) -> Result<Hasher, Error> {
        let (written, hashed, written_back) =
            (self.written().await, self.hashed().await, self.written_back().await);
        written?;
        written_back?;
        hashed
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    fn body(frames: Vec<Bytes>, broken: bool) -> RequestBody {
        let end = broken.then(|| Err::<Frame<Bytes>, _>("the client went away".into()));
        let frames = frames.into_iter().map(|frame| Ok(Frame::data(frame)));
        StreamBody::new(stream::iter(frames.chain(end))).boxed_unsync()
    }

    #[tokio::test]
    async fn batches_end_at_multiples_of_their_length_whatever_the_frames() {
        let bytes: Bytes = (0..251_u8).cycle().take(3 * BATCH + 1000).collect();
        for (frame, broken) in [(70_001, false), (BATCH, true), (BATCH + 1, false), (5 * BATCH, true)] {
            let frames = bytes.chunks(frame).map(Bytes::copy_from_slice).collect();
            let mut incoming = Incoming { body: body(frames, broken), frame: Bytes::new() };
            let mut came = Vec::new();
            // As if an upload went on at 100.
            let mut room = up_to_the_next_batch(100);
            let end = loop {
                let batch = incoming.gather(room).await;
                assert_eq!(batch.length, batch.pieces.iter().map(|piece| piece.len() as u64).sum::<u64>());
                came.extend(batch.pieces.concat());
                if batch.end != End::Full {
                    break batch.end;
                }
                assert_eq!((came.len() + 100) % BATCH, 0);
                room = BATCH;
            };
            assert!(end == if broken { End::Broken } else { End::Complete });
            assert!(came == bytes, "frames of {frame}");
        }
        assert_eq!(up_to_the_next_batch(2 * BATCH as u64), BATCH);
    }

    #[test]
    fn pieces_are_written_in_order() {
        let path = tempfile::NamedTempFile::new().expect("a file");
        let pieces = [Bytes::from_static(b"one"), Bytes::from_static(b"two"), Bytes::from_static(b"three")];
        write_whole(&mut path.reopen().expect("open"), &pieces).expect("written");
        assert_eq!(std::fs::read(path.path()).expect("read"), b"onetwothree");
    }
}
