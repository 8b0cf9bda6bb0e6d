//! Upload sessions: a file each, `<root>/uploads/<owner>-<uuid>`, whose length is the session's offset.
//!
//! The owner is a hash of the repository, so a session is found only through the repository that it was started in, and
//! nothing but the file has to survive a restart.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;
use tokio::task::spawn_blocking;

use crate::body::RequestBody;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::errors::Error;
use crate::names::Repository;
use crate::ranges::Chunk;
use crate::reception::{Progress, Reception};
use crate::storage::Durability;
use crate::storage::local::{hash_file, is_older_than, remove_if_there};

/// One upload under way.
pub(crate) struct Session {
    /// The file's name, which is also the key of the map.
    name: String,
    path: PathBuf,
    /// The offset, readable while a request is writing.
    written: AtomicU64,
    progress: Arc<tokio::sync::Mutex<Progress>>,
}

impl Session {
    /// How many bytes the upload has.
    pub(crate) fn offset(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }
}

/// An upload whose content has the digest that the client said. Whoever takes it publishes or drops it.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    pub(crate) digest: Digest,
}

/// All sessions.
pub(crate) struct Uploads {
    directory: PathBuf,
    durability: Durability,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

impl Uploads {
    pub(crate) fn new(directory: PathBuf, durability: Durability) -> Self {
        Self { directory, durability, sessions: Mutex::new(HashMap::new()) }
    }

    /// Starts a session that will be hashed with `algorithm` as it comes in.
    pub(crate) async fn start(
        &self,
        repository: &Repository,
        uuid: &str,
        algorithm: Algorithm,
    ) -> Result<Arc<Session>, Error> {
        let name = file_name(repository, uuid);
        let path = self.directory.join(&name);
        let made = path.clone();
        spawn_blocking(move || OpenOptions::new().write(true).create_new(true).open(made))
            .await?
            .map_err(Error::disk("starting an upload"))?;
        let session = session(name, path, 0, Some(Hasher::new(algorithm)));
        self.sessions.lock().insert(session.name.clone(), Arc::clone(&session));
        Ok(session)
    }

    /// The session of `repository` with this id, also when it was started before the last restart.
    pub(crate) async fn find(&self, repository: &Repository, uuid: &str) -> Result<Arc<Session>, Error> {
        if !is_uuid(uuid) {
            return Err(Error::UploadUnknown);
        }
        let name = file_name(repository, uuid);
        if let Some(session) = self.sessions.lock().get(&name) {
            return Ok(Arc::clone(session));
        }
        let path = self.directory.join(&name);
        let there = path.clone();
        let length = match spawn_blocking(move || fs::metadata(there)).await? {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Error::UploadUnknown),
            Err(source) => return Err(Error::Disk { doing: "finding an upload", source }),
        };
        let found = session(name, path, length, None);
        Ok(Arc::clone(self.sessions.lock().entry(found.name.clone()).or_insert(found)))
    }

    /// Appends a body; as a chunk when the client said which bytes it is, else as a stream.
    pub(crate) async fn append(
        &self,
        session: &Session,
        chunk: Option<Chunk>,
        body: RequestBody,
    ) -> Result<(), Error> {
        let mut progress = claim(session)?;
        let outcome = self.receive(session, &mut progress, chunk, body).await;
        self.forget_if_lost(session, &mut progress, &outcome);
        outcome
    }

    /// Appends a last body, if any, and ends the session. On any error but a refused chunk the session is gone.
    pub(crate) async fn finish(
        &self,
        session: &Session,
        chunk: Option<Chunk>,
        body: RequestBody,
        digest: Digest,
    ) -> Result<Verified, Error> {
        let mut progress = claim(session)?;
        let outcome = self.receive(session, &mut progress, chunk, body).await;
        self.forget_if_lost(session, &mut progress, &outcome);
        outcome?;
        let verified = verify(session, &mut progress, digest).await;
        progress.closed = true;
        self.sessions.lock().remove(&session.name);
        if verified.is_err() {
            discard(session.path.clone()).await?;
        }
        verified
    }

    async fn receive(
        &self,
        session: &Session,
        progress: &mut Progress,
        chunk: Option<Chunk>,
        body: RequestBody,
    ) -> Result<(), Error> {
        if chunk.is_some_and(|chunk| chunk.start != progress.offset) {
            return Err(Error::ChunkOutOfOrder { offset: progress.offset });
        }
        let (path, durability) = (session.path.clone(), self.durability);
        let reception = Reception { path, announced: chunk.map(Chunk::length), durability };
        reception.append(progress, &session.written, body).await
    }

    /// Ends the session and drops what came.
    pub(crate) async fn cancel(&self, session: &Session) -> Result<(), Error> {
        let mut progress = claim(session)?;
        progress.closed = true;
        self.sessions.lock().remove(&session.name);
        discard(session.path.clone()).await
    }

    /// Puts bytes that are in memory already where a finished upload would be.
    pub(crate) async fn stage(&self, uuid: &str, bytes: Bytes) -> Result<Verified, Error> {
        let path = self.directory.join(format!("staged-{uuid}"));
        spawn_blocking(move || {
            fs::write(&path, &bytes).map_err(Error::disk("staging a blob"))?;
            Ok(Verified { path, size: bytes.len() as u64, digest: Digest::sha256(&bytes) })
        })
        .await?
    }

    /// Drops the sessions on which nothing was written for `seconds` before `now`; says how many. A session that a request
    /// is writing to is left alone.
    pub(crate) async fn sweep(&self, seconds: u64, now: SystemTime) -> Result<usize, Error> {
        let directory = self.directory.clone();
        let stale = spawn_blocking(move || stale_files(&directory, seconds, now))
            .await?
            .map_err(Error::disk("listing uploads"))?;
        let mut dropped = 0;
        for (name, path) in stale {
            let session = self.sessions.lock().get(&name).cloned();
            if let Some(session) = session {
                let Ok(mut progress) = claim(&session) else { continue };
                progress.closed = true;
                self.sessions.lock().remove(&name);
            }
            discard(path).await?;
            dropped += 1;
        }
        Ok(dropped)
    }

    /// How many sessions are open.
    pub(crate) fn under_way(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Whether the directory takes bytes.
    pub(crate) async fn probe(&self) -> Result<(), Error> {
        let path = self.directory.join("probe");
        spawn_blocking(move || crate::health::probe(&path)).await?.map_err(Error::disk("writing a block"))
    }

    fn forget_if_lost(&self, session: &Session, progress: &mut Progress, outcome: &Result<(), Error>) {
        if matches!(outcome, Err(Error::UploadUnknown)) {
            progress.closed = true;
            self.sessions.lock().remove(&session.name);
        }
    }
}

fn session(name: String, path: PathBuf, offset: u64, hasher: Option<Hasher>) -> Arc<Session> {
    let progress = Progress { offset, hasher, closed: false };
    Arc::new(Session {
        name,
        path,
        written: AtomicU64::new(offset),
        progress: Arc::new(tokio::sync::Mutex::new(progress)),
    })
}

/// One request at a time writes to a session. Another is told so at once: waiting for a connection that may be dead would
/// leave the client without an answer.
fn claim(session: &Session) -> Result<OwnedMutexGuard<Progress>, Error> {
    let progress = Arc::clone(&session.progress).try_lock_owned().map_err(|_| Error::UploadBusy)?;
    if progress.closed { Err(Error::UploadUnknown) } else { Ok(progress) }
}

async fn verify(session: &Session, progress: &mut Progress, expected: Digest) -> Result<Verified, Error> {
    let (path, size) = (session.path.clone(), progress.offset);
    let known = progress.hasher.take().filter(|hasher| hasher.algorithm() == expected.algorithm());
    let actual = if let Some(hasher) = known {
        hasher.finish()
    } else {
        // The client asks for a digest that was not computed on the way, or the process was restarted.
        let (path, hasher) = (path.clone(), Hasher::new(expected.algorithm()));
        spawn_blocking(move || hash_file(&path, size, hasher))
            .await?
            .map_err(|source| match source.kind() {
                ErrorKind::NotFound => Error::UploadUnknown,
                _ => Error::Disk { doing: "reading an upload back", source },
            })?
            .finish()
    };
    if actual == expected {
        Ok(Verified { path, size, digest: expected })
    } else {
        Err(Error::DigestMismatch { expected, actual })
    }
}

/// Removes an upload's file, which may be gone.
pub(crate) async fn discard(path: PathBuf) -> Result<(), Error> {
    spawn_blocking(move || remove_if_there(&path)).await?.map_err(Error::disk("dropping an upload"))
}

/// Removes the uploads that nobody has written to for `seconds` before `now`, while no session is open. Blocks.
pub(crate) fn remove_stale(directory: &Path, seconds: u64, now: SystemTime) -> std::io::Result<()> {
    for (_, path) in stale_files(directory, seconds, now)? {
        remove_if_there(&path)?;
    }
    Ok(())
}

fn stale_files(directory: &Path, seconds: u64, now: SystemTime) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut stale = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // An upload that ends in this moment has no metadata any more, and needs no sweeping.
        if entry.metadata().is_ok_and(|metadata| is_older_than(&metadata, seconds, now)) {
            stale.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
        }
    }
    Ok(stale)
}

/// `uuid` has been made or checked by this crate.
fn file_name(repository: &Repository, uuid: &str) -> String {
    let owner = Digest::sha256(repository.canonical().as_bytes());
    format!("{}-{uuid}", owner.hex().get(..32).unwrap_or_default())
}

/// The 8-4-4-4-12 form in lower case, as the registry hands it out.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}
