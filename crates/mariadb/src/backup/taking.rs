//! Taking backups, keeping them for their time, and taking them away.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
use rookery_gateway::Refusal as _;
use rookery_store::{Global, Read, Regional, Scan, Starting, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::MariaDb;
use crate::backup::policy::{self, Keeping, Policy};
use crate::backup::tools;
use crate::error::Error;
use crate::flows;
use crate::instances::{self, InstanceRow};
use crate::moments::Moment;
use crate::server::private_directory;

/// How often it is looked what has had its time, which is counted in days.
const PRUNE_EVERY: time::Duration = time::Duration::minutes(1);

/// Every backup, by `<instance>/<number>`, the numbers in their order.
pub(crate) struct Backups;

impl Table for Backups {
    const NAME: &'static str = "mariadb.backups";
    type Scope = Global;
    type Key = String;
    type Row = BackupRow;
}

/// A backup that is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackupRow {
    pub(crate) number: u64,
    /// The name of its file.
    pub(crate) file: String,
    pub(crate) size: u64,
    pub(crate) begun: Moment,
    /// From then on it can be restored: it holds what was committed up to here, or some moments before.
    pub(crate) ended: Moment,
}

fn key(instance: &str, number: u64) -> String {
    format!("{instance}/{number:012}")
}

/// The backups of an instance, the oldest first.
pub(crate) fn list(read: &impl Read, instance: &str) -> Result<Vec<BackupRow>, Error> {
    let rows = read.scan::<Backups>(&Global, Scan::all().prefix(&Starting(&format!("{instance}/"))))?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

pub(crate) fn forget(tx: &mut Transaction<'_>, instance: &str) -> Result<(), Error> {
    for row in list(tx, instance)? {
        tx.delete::<Backups>(&Global, &key(instance, row.number))?;
    }
    Ok(())
}

fn ends(rows: &[BackupRow]) -> Vec<Moment> {
    rows.iter().map(|row| row.ended).collect()
}

impl MariaDb {
    pub(crate) fn backup_directory(&self, id: &str) -> PathBuf {
        self.places.instance(id).join("backups")
    }

    /// What is due for a running instance: its binary logs are archived, what has had its time goes, and a backup is begun.
    pub(crate) async fn keep_backups(
        self: &Arc<Self>,
        scope: &Regional,
        id: &str,
        row: &InstanceRow,
    ) -> Result<(), Error> {
        if row.temporary_until().is_some() {
            return Ok(());
        }
        let from = self.archive_logs(id, row)?;
        let (set, taken) =
            self.store.read(|view| Ok::<_, Error>((policy::of(view, id)?, list(view, id)?)))?;
        let mut failed = self.backups.failed.lock().get(id).copied();
        let mut last = None;
        if let Some(newest) = taken.last() {
            if from.is_some_and(|from| from <= newest.begun) {
                last = Some(newest.begun);
            } else {
                // The primary's logs do not reach back to it, so it restores no moment: another is taken, but not one after the other.
                failed = failed.max(Some(newest.ended));
            }
        }
        if set.due(last, failed, self.now()) {
            self.begin_backup(scope, id);
        }
        let pruned = self.backups.pruned.lock().get(id).copied();
        if pruned.is_none_or(|pruned| pruned.plus(PRUNE_EVERY) <= self.now()) {
            self.prune(id, row, &set, taken).await?;
            self.backups.pruned.lock().insert(id.to_owned(), self.now());
        }
        Ok(())
    }

    /// The backups from which moments can be restored, the oldest first: those that logs are kept for and that the primary's reach
    /// back to.
    pub(crate) fn restorable(&self, id: &str, row: &InstanceRow) -> Result<Vec<BackupRow>, Error> {
        let now = self.now();
        let from = self.archive_logs(id, row)?;
        let (rows, set) = self.store.read(|view| Ok::<_, Error>((list(view, id)?, policy::of(view, id)?)))?;
        let keeps = set.keeps(&ends(&rows), now);
        let kept = rows.into_iter().zip(keeps).filter(|(row, keeping)| {
            *keeping == Keeping::Restorable && from.is_some_and(|from| from <= row.begun)
        });
        Ok(kept.map(|(row, _)| row).collect())
    }

    /// Takes a backup in the background, unless one is being taken.
    fn begin_backup(self: &Arc<Self>, scope: &Regional, id: &str) {
        let mut taking = self.backups.taking.lock();
        if taking.contains_key(id) {
            return;
        }
        let (product, scope, instance) = (Arc::clone(self), scope.clone(), id.to_owned());
        let task = self.tasks.lock().spawn(async move {
            let turn = Arc::clone(&product.backups.turns).acquire_owned().await;
            let taken = product.take(&scope, &instance).await;
            drop(turn);
            product.note_backup(&instance, taken);
        });
        taking.insert(id.to_owned(), task);
    }

    fn note_backup(&self, id: &str, taken: Result<BackupRow, Error>) {
        self.backups.taking.lock().remove(id);
        match taken {
            Ok(row) => {
                self.backups.failed.lock().remove(id);
                tracing::info!(instance = id, file = row.file, size = row.size, "a backup was taken");
            }
            Err(error) => {
                let again = self.backups.failed.lock().insert(id.to_owned(), self.now()).is_some();
                let error = error.internal().unwrap_or_else(|| error.to_string());
                if again {
                    tracing::debug!(instance = id, error, "a backup failed again");
                } else {
                    tracing::warn!(instance = id, error, "a backup failed; it is tried again every minute");
                }
            }
        }
    }

    /// Ends a backup that is being taken, because its server is about to stop. Its file goes with the next one.
    pub(crate) fn end_backup(&self, id: &str) {
        if let Some(task) = self.backups.taking.lock().remove(id) {
            task.abort();
        }
    }

    /// Takes a backup of the primary.
    async fn take(&self, scope: &Regional, id: &str) -> Result<BackupRow, Error> {
        let row = self.store.read(|view| instances::usable(view, scope, id))?;
        let (installed, tools) = (self.installation()?, self.tools()?);
        let begun = self.now();
        let directory = self.backup_directory(id);
        private_directory(&directory)?;
        // What an attempt before this one left; it may still be writing to it, so this one writes elsewhere.
        self.tidy_backups(id)?;
        let file = format!("xtrabackup-{}-{}.xbstream.lz4", begun.0, begun.digits());
        let unfinished = directory.join(format!("unfinished-{}", self.world.uuid().simple()));
        let data = self.places.data(id, row.primary_node()?);
        let (reader, writer) = io::pipe()?;
        let mut command = self.copying(&tools.backup, &data, &installed.user);
        command.arg("--stream=xbstream").arg(tools::option("target-dir", &directory.join("none")));
        let child = command.stdout(Stdio::from(writer)).spawn()?;
        // It holds the pipe's end, without whose closing the stream does not end.
        drop(command);
        let to = unfinished.clone();
        let compressing = tokio::task::spawn_blocking(move || compress(reader, &to));
        let (streamed, compressed) =
            tokio::join!(tools::succeeds("mariabackup --backup", child), compressing);
        streamed?;
        let size = compressed.map_err(|_| Error::Inconsistent("compressing a backup panicked"))??;
        fs::rename(&unfinished, directory.join(&file))?;
        File::open(&directory)?.sync_all()?;
        let (scope, id) = (scope.clone(), id.to_owned());
        let row = BackupRow { number: 0, file, size, begun, ended: self.now() };
        self.store
            .write(move |tx| {
                instances::existing(tx, &scope, &id)?;
                let row = BackupRow { number: flows::count(tx, "backup")?, ..row.clone() };
                tx.put::<Backups>(&Global, &key(&id, row.number), &row)?;
                Ok(row)
            })
            .await
    }

    /// Takes away backups and binary logs whose time is over.
    async fn prune(
        &self,
        id: &str,
        row: &InstanceRow,
        set: &Policy,
        taken: Vec<BackupRow>,
    ) -> Result<(), Error> {
        let now = self.now();
        let keeps = set.keeps(&ends(&taken), now);
        let mut oldest = None;
        let mut over = Vec::new();
        for (backup, keeping) in taken.into_iter().zip(keeps) {
            match keeping {
                Keeping::Restorable => oldest = oldest.or(Some(backup.begun)),
                Keeping::LongTerm => {}
                Keeping::No => over.push(backup),
            }
        }
        if !over.is_empty() {
            let keys: Vec<String> = over.iter().map(|backup| key(id, backup.number)).collect();
            self.store
                .write(move |tx| keys.iter().try_for_each(|key| tx.delete::<Backups>(&Global, key).map(drop)))
                .await?;
            for backup in over {
                remove_file(&self.backup_directory(id).join(&backup.file))?;
                tracing::info!(instance = id, file = backup.file, "a backup has had its days");
            }
        }
        let days = time::Duration::days(set.days.into());
        self.prune_logs(id, row, oldest.unwrap_or(now.plus(-days)))
    }

    /// Removes files of backups that have no row: what was being written when a former process ended.
    pub(crate) fn tidy_backups(&self, id: &str) -> Result<(), Error> {
        let known = self.store.read(|view| list(view, id))?;
        for entry in present(&self.backup_directory(id))? {
            if !known.iter().any(|backup| entry.file_name() == backup.file.as_str()) {
                remove_file(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// The entries of a directory; none where it is not there.
pub(crate) fn present(directory: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.collect(),
    }
}

pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes all that comes as an LZ4 frame, durably; how long it became. What stood there is replaced.
fn compress(from: io::PipeReader, to: &Path) -> io::Result<u64> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    let frame = FrameInfo::new().block_size(BlockSize::Max1MB).content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(frame, file);
    io::copy(&mut io::BufReader::with_capacity(1 << 20, from), &mut encoder)?;
    let file = encoder.finish().map_err(io::Error::other)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        let place = tempfile::tempdir().unwrap();
        let (reader, mut writer) = io::pipe().unwrap();
        let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let sent = bytes.clone();
        let sender = std::thread::spawn(move || writer.write_all(&sent).unwrap());
        let size = compress(reader, &place.path().join("file")).unwrap();
        sender.join().unwrap();
        let file = File::open(place.path().join("file")).unwrap();
        assert_eq!(file.metadata().unwrap().len(), size);
        let mut back = Vec::new();
        lz4_flex::frame::FrameDecoder::new(file).read_to_end(&mut back).unwrap();
        assert_eq!(back, bytes);
    }

    #[tokio::test]
    async fn backups_are_listed_in_order_and_forgotten_with_their_instance() {
        let store = rookery_store::Store::in_memory();
        store
            .write(|tx| {
                for (instance, number) in [("tdsql-a", 2), ("tdsql-a", 10), ("tdsql-ab", 3)] {
                    let at = Moment(i64::try_from(number).unwrap());
                    let row = BackupRow { number, file: number.to_string(), size: 1, begun: at, ended: at };
                    tx.put::<Backups>(&Global, &key(instance, number), &row)?;
                }
                Ok::<_, Error>(())
            })
            .await
            .unwrap();
        let files = |instance: &str| {
            let rows = store.read(|view| list(view, instance)).unwrap();
            rows.into_iter().map(|row| row.file).collect::<Vec<_>>()
        };
        assert_eq!(files("tdsql-a"), ["2", "10"]);
        store.write(|tx| forget(tx, "tdsql-a")).await.unwrap();
        assert!(files("tdsql-a").is_empty());
        assert_eq!(files("tdsql-ab"), ["3"]);
    }
}
