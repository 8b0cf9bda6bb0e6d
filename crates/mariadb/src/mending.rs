//! What a server does not get over by itself: being killed in two moments.
//!
//! While it turns to the next relay log, its list of them and the logs differ for a moment, and it can neither follow nor stop
//! following. What it has received is fetched again anyway, so all of that is removed.
//!
//! At its shutdown it marks its binary log as closed before its engine has written the last commits. Killed in between, it finds
//! prepared transactions at the next start, and a log that seems to be complete, and gives up. With the mark of a log in use it
//! recovers from the log as after any crash: what is in it is committed, and what is not is rolled back.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use rookery_supervisor::State;

use crate::MariaDb;
use crate::cluster::process;
use crate::error::Error;
use crate::instances::InstanceRow;
use crate::replication::Arranged;
use crate::sql::SqlError;

/// What the server says when it gives up.
const GIVES_UP: &str = "prepared transactions! It means that server was not shut down properly";
/// What a binary log begins with.
const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];
/// Where the flags of its first event are; the checksum leaves the lowest one out.
const FLAGS: u64 = 4 + 17;
const IN_USE: u8 = 1;
/// What a server answers that cannot read whom it follows, or what it has received.
const UNREADABLE: [u16; 3] = [1201, 1380, 1872];
/// What it keeps of that.
const FOLLOWING: [&str; 3] = ["master.info", "multi-master.info", "relay-log.info"];
const RELAYED: &str = "-relay-bin.";

impl MariaDb {
    /// Makes servers able to start again that said why they cannot. They are stopped then.
    pub(crate) async fn mend(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        for node in &row.nodes {
            let name = process(id, node);
            let State::Failed { reason } = self.supervisor.state(&name) else { continue };
            if reason.contains(GIVES_UP) {
                tracing::warn!(name, "a server was killed while it shut down; it is to recover from its log");
                self.supervisor.stop(&name).await;
                mark_last_log(&self.places.data(id, node))?;
            }
        }
        // A standby that was to be made anew, and of which only the removal was done.
        for (_, node) in row.standbys() {
            if !self.places.data(id, node).exists() {
                self.start_node(id, row, row.primary).await?;
                self.supervisor.stop(&process(id, node)).await;
                self.copy_of_primary(id, row, node).await?;
            }
        }
        Ok(())
    }
}

impl MariaDb {
    /// As [`arrange`](Self::arrange). Servers that cannot read whom they follow forget it, and are stopped for that.
    pub(crate) async fn arrange_or_mend(&self, id: &str, row: &InstanceRow) -> Result<Arranged, Error> {
        let arranged = self.arrange(id, row).await;
        if let Err(Error::Sql(SqlError::Refused { number, .. })) = &arranged
            && UNREADABLE.contains(number)
        {
            for node in row.nodes.iter().filter(|node| self.is_ready(id, node)) {
                let mut server = self.connect(id, node).await?;
                server.run("STOP SLAVE").await.ok();
                // One that can read it forgets whom it follows, and is told again.
                if server.run("RESET SLAVE ALL").await.is_ok() {
                    continue;
                }
                tracing::warn!(
                    instance = id,
                    node = node.id,
                    "a server cannot read whom it followed; that is removed"
                );
                self.supervisor.stop(&process(id, node)).await;
                forget_following(&self.places.data(id, node))?;
            }
        }
        arranged
    }
}

fn forget_following(data: &Path) -> io::Result<()> {
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| FOLLOWING.contains(&name) || name.contains(RELAYED)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Marks the newest binary log as in use.
fn mark_last_log(data: &Path) -> io::Result<()> {
    let index = fs::read_to_string(data.join("binlog.index"))?;
    let Some(last) = index.lines().rfind(|line| !line.trim().is_empty()) else { return Ok(()) };
    let mut log = OpenOptions::new().read(true).write(true).open(data.join(last.trim()))?;
    let mut magic = [0; 4];
    log.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no binary log"));
    }
    let mut flags = [0];
    log.seek(SeekFrom::Start(FLAGS))?;
    log.read_exact(&mut flags)?;
    log.seek(SeekFrom::Start(FLAGS))?;
    log.write_all(&[flags[0] | IN_USE])?;
    log.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_is_whom_it_followed_and_no_data() {
        let place = tempfile::tempdir().unwrap();
        let kept = ["ibdata1", "binlog.000001", "binlog.index"];
        let gone = ["master.info", "relay-log.info", "server-relay-bin.000001", "server-relay-bin.index"];
        for name in kept.iter().chain(&gone) {
            fs::write(place.path().join(name), "").unwrap();
        }
        forget_following(place.path()).unwrap();
        assert!(kept.iter().all(|name| place.path().join(name).exists()));
        assert!(!gone.iter().any(|name| place.path().join(name).exists()));
    }

    #[test]
    fn the_newest_log_is_marked_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let log: Vec<u8> = MAGIC.into_iter().chain(10..60).collect();
        fs::write(place.path().join("binlog.000001"), &log).unwrap();
        fs::write(place.path().join("binlog.000002"), &log).unwrap();
        fs::write(place.path().join("binlog.index"), "./binlog.000001\n./binlog.000002\n").unwrap();
        mark_last_log(place.path()).unwrap();
        assert_eq!(fs::read(place.path().join("binlog.000001")).unwrap(), log);
        let marked = fs::read(place.path().join("binlog.000002")).unwrap();
        let differing: Vec<_> = (0..log.len()).filter(|&at| marked[at] != log[at]).collect();
        assert!(differing.is_empty() || differing == [21], "{differing:?}");
        assert_eq!(marked[21] & IN_USE, IN_USE);
        fs::write(place.path().join("binlog.000002"), "text, and no log").unwrap();
        assert!(mark_last_log(place.path()).is_err());
    }
}
