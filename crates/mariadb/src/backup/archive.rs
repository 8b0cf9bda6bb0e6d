//! The archive of binary logs: each log of each node has a second name in it, so the server may purge its own.
//!
//! A log is archived when it is begun, not when it is closed: a server may close a log and purge it in one step.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::MariaDb;
use crate::backup::taking::{present, remove_file};
use crate::error::Error;
use crate::instances::{InstanceRow, Node};
use crate::moments::Moment;
use crate::server::{self, private_directory};

/// What the server lists its logs in.
const INDEX: &str = "binlog.index";

/// What was archived of a node when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// The server's list, by its length and time.
    index: (u64, SystemTime),
    /// When the first log in the archive was begun.
    from: Option<Moment>,
}

/// A binary log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) length: u64,
    pub(crate) begun: Moment,
    /// When it was written to last.
    pub(crate) written: Moment,
}

impl MariaDb {
    fn archive_directory(&self, id: &str, node: &Node) -> PathBuf {
        self.places.instance(id).join("archive").join(&node.id)
    }

    /// Archives what the nodes have begun since the last time. The moment from which on the logs of the primary are there; a node that
    /// was made anew begins a new archive.
    pub(crate) fn archive_logs(&self, id: &str, row: &InstanceRow) -> Result<Option<Moment>, Error> {
        for node in &row.nodes {
            let data = self.places.data(id, node);
            let Some(mark) = mark(&data.join(INDEX))? else { continue };
            if self.backups.archived.lock().get(&node.id).is_some_and(|seen| seen.index == mark) {
                continue;
            }
            let directory = self.archive_directory(id, node);
            archive(&data, &directory)?;
            let from = list(&directory)?.first().map(|log| log.begun);
            self.backups.archived.lock().insert(node.id.clone(), Seen { index: mark, from });
        }
        let primary = row.primary_node()?;
        Ok(self.backups.archived.lock().get(&primary.id).and_then(|seen| seen.from))
    }

    /// The archived logs of a node, the one that is being written included, in their order.
    pub(crate) fn logs(&self, id: &str, node: &Node) -> Result<Vec<Log>, Error> {
        Ok(list(&self.archive_directory(id, node))?)
    }

    /// Takes away what a restore from a backup of `oldest` does not need. The newest log of each node stays.
    pub(crate) fn prune_logs(&self, id: &str, row: &InstanceRow, oldest: Moment) -> Result<(), Error> {
        for node in &row.nodes {
            prune(&self.archive_directory(id, node), oldest)?;
        }
        Ok(())
    }
}

/// What changes when a log is begun or purged; nothing where the server has not run yet.
fn mark(index: &Path) -> io::Result<Option<(u64, SystemTime)>> {
    match fs::metadata(index) {
        Ok(metadata) => Ok(Some((metadata.len(), metadata.modified()?))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives every log in the index of `data` a name in `archive`.
fn archive(data: &Path, archive: &Path) -> io::Result<()> {
    let index = fs::read_to_string(data.join(INDEX))?;
    let names: Vec<_> = index.lines().filter_map(|line| Path::new(line.trim()).file_name()).collect();
    for name in &names {
        if is_another(&data.join(name), &archive.join(name))? {
            // The node was made anew and counts from one again: what it wrote before cannot be told from what it writes now.
            server::remove(archive)?;
            break;
        }
    }
    private_directory(archive)?;
    for name in names {
        match fs::hard_link(data.join(name), archive.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // Purged since the index was read, and archived before that.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            linked => linked?,
        }
    }
    File::open(archive)?.sync_all()
}

/// Whether both are there and are not the same file.
fn is_another(log: &Path, archived: &Path) -> io::Result<bool> {
    let file = |path: &Path| match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        metadata => metadata.map(|metadata| Some((metadata.dev(), metadata.ino()))),
    };
    Ok(file(log)?.zip(file(archived)?).is_some_and(|(one, other)| one != other))
}

/// How many of the first logs a restore from a backup that was begun at `begun` does not need: those after which another was begun before.
/// Of two things within one second nobody knows which came first.
pub(crate) fn surplus(logs: &[Log], begun: Moment) -> usize {
    logs.iter().skip(1).take_while(|next| next.begun < begun).count()
}

fn list(archive: &Path) -> io::Result<Vec<Log>> {
    let mut logs = Vec::new();
    for entry in present(archive)? {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let metadata = match entry.metadata() {
            // It has just had its time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        let (path, written) = (entry.path(), moment(metadata.modified()?));
        let begun = first_event(&path)?.unwrap_or(written);
        logs.push(Log { name, path, length: metadata.len(), begun, written });
    }
    logs.sort_by_key(|log| (log.name.len(), log.name.clone()));
    Ok(logs)
}

pub(crate) fn moment(time: SystemTime) -> Moment {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Moment(i64::try_from(seconds).unwrap_or_default())
}

/// The time of a log's first event: after four bytes that mark the format, every event begins with its time.
fn first_event(path: &Path) -> io::Result<Option<Moment>> {
    let mut head = [0; 8];
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match file.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let [b'\xFE', b'b', b'i', b'n', time @ ..] = head else { return Ok(None) };
    Ok(Some(Moment(u32::from_le_bytes(time).into())))
}

fn prune(archive: &Path, oldest: Moment) -> io::Result<()> {
    let logs = list(archive)?;
    let surplus = surplus(&logs, oldest);
    logs.iter().take(surplus).try_for_each(|log| remove_file(&log.path))
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;
    use std::time::Duration;

    use super::*;

    fn log(data: &Path, name: &str, begun: u32, written: u64) {
        let bytes = [b"\xFEbin".as_slice(), &begun.to_le_bytes(), b"rest"].concat();
        fs::write(data.join(name), bytes).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(written);
        let file = File::options().write(true).open(data.join(name)).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    }

    #[test]
    fn what_the_server_purges_stays_in_the_archive_until_nothing_needs_it() {
        let place = tempfile::tempdir().unwrap();
        let (data, kept) = (place.path().join("data"), place.path().join("archive/node"));
        fs::create_dir(&data).unwrap();
        log(&data, "binlog.000001", 100, 200);
        log(&data, "binlog.000002", 200, 300);
        fs::write(data.join(INDEX), "./binlog.000001\n./binlog.000002\n./binlog.000003\n").unwrap();
        archive(&data, &kept).unwrap();
        fs::remove_file(data.join("binlog.000001")).unwrap();
        log(&data, "binlog.000010", 300, 400);
        fs::write(data.join(INDEX), "./binlog.000002\n./binlog.000010\n").unwrap();
        archive(&data, &kept).unwrap();
        let logs = list(&kept).unwrap();
        let told: Vec<_> = logs.iter().map(|log| (log.name.as_str(), log.begun.0, log.written.0)).collect();
        assert_eq!(
            told,
            [("binlog.000001", 100, 200), ("binlog.000002", 200, 300), ("binlog.000010", 300, 400)]
        );
        // The open log grows under both names.
        fs::write(data.join("binlog.000010"), b"\xFEbinnnnn and more").unwrap();
        assert_eq!(list(&kept).unwrap().last().unwrap().length, 17);
        prune(&kept, Moment(200)).unwrap();
        assert_eq!(list(&kept).unwrap().len(), 3, "a backup of then needs the first");
        prune(&kept, Moment(299)).unwrap();
        assert_eq!(list(&kept).unwrap().len(), 2);
        prune(&kept, Moment(i64::MAX)).unwrap();
        assert_eq!(list(&kept).unwrap().len(), 1, "the one that is written stays");
        assert!(list(&place.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn a_node_that_was_made_anew_begins_a_new_archive() {
        let place = tempfile::tempdir().unwrap();
        let (data, kept) = (place.path().join("data"), place.path().join("archive"));
        fs::create_dir(&data).unwrap();
        log(&data, "binlog.000001", 100, 200);
        log(&data, "binlog.000002", 200, 300);
        fs::write(data.join(INDEX), "./binlog.000001\n./binlog.000002\n").unwrap();
        archive(&data, &kept).unwrap();
        fs::remove_dir_all(&data).unwrap();
        fs::create_dir(&data).unwrap();
        log(&data, "binlog.000001", 400, 500);
        fs::write(data.join(INDEX), "./binlog.000001\n").unwrap();
        archive(&data, &kept).unwrap();
        let begun: Vec<_> = list(&kept).unwrap().iter().map(|log| log.begun.0).collect();
        assert_eq!(begun, [400]);
    }

    #[test]
    fn what_is_no_log_has_no_first_event() {
        let place = tempfile::tempdir().unwrap();
        for bytes in [b"".as_slice(), b"\xFEbin", b"12345678"] {
            fs::write(place.path().join("log"), bytes).unwrap();
            assert_eq!(first_event(&place.path().join("log")).unwrap(), None);
        }
    }
}
