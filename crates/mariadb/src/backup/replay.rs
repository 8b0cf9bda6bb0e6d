//! Replaying binary logs on a restored server, from where its backup ends up to a moment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::MariaDb;
use crate::backup::tools;
use crate::error::Error;
use crate::moments::Moment;
use crate::server::SOCKET;

/// Where a backup says how far in the binary logs it reaches; newer versions of the tool have the second name.
const POSITION: [&str; 2] = ["xtrabackup_binlog_info", "mariadb_backup_binlog_info"];
/// What the tool leaves in a directory that a server needs nothing of.
const LEFT: [&str; 12] = [
    "xtrabackup_binlog_info",
    "mariadb_backup_binlog_info",
    "xtrabackup_binlog_pos_innodb",
    "xtrabackup_checkpoints",
    "mariadb_backup_checkpoints",
    "xtrabackup_info",
    "mariadb_backup_info",
    "xtrabackup_slave_info",
    "mariadb_backup_slave_info",
    "xtrabackup_galera_info",
    "donor_galera_info",
    "backup-my.cnf",
];

/// What the tool says, as an error, where the logs end with the position: nothing was written after the backup.
const NOTHING_AFTER: &str = "never reached expected GTID state";

/// How far the unpacked backup reaches: the GTID of the last change in it, empty where there was none.
pub(crate) fn position(data: &Path) -> Result<String, Error> {
    let found = POSITION.iter().find_map(|name| fs::read_to_string(data.join(name)).ok());
    let text = found.ok_or(Error::Inconsistent("the backup does not say how far it reaches"))?;
    // File, offset, GTID; the third may span lines where there are several domains.
    Ok(text.trim_end().splitn(3, '\t').nth(2).unwrap_or_default().split_whitespace().collect())
}

/// Removes what the tool left beside the data.
pub(crate) fn tidy(data: &Path) -> io::Result<()> {
    LEFT.iter().try_for_each(|name| crate::backup::taking::remove_file(&data.join(name)))
}

/// The first second of which nothing is replayed, as the tool wants it.
fn stop(moment: Moment) -> Result<String, Error> {
    // What was committed within the second of the moment belongs to it.
    let at = OffsetDateTime::from_unix_timestamp(moment.plus(Duration::seconds(1)).0);
    let at = at.map_err(|_| Error::Inconsistent("the moment is out of range"))?;
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.format(format).map_err(|_| Error::Inconsistent("the moment cannot be written"))
}

impl MariaDb {
    /// Replays what follows `position` up to the moment, on the server whose socket is in `data`.
    pub(crate) async fn replay(
        &self,
        data: &Path,
        position: &str,
        logs: &[PathBuf],
        moment: Moment,
    ) -> Result<(), Error> {
        if logs.is_empty() {
            return Err(Error::Inconsistent("there are no binary logs of the time after the backup"));
        }
        let (installed, tools) = (self.installation()?, self.tools()?);
        let (reader, writer) = io::pipe()?;
        let mut reading = self.tool(&tools.read_logs);
        reading
            .args(["--no-defaults", "--gtid-strict-mode"])
            .arg(format!("--stop-datetime={}", stop(moment)?));
        if !position.is_empty() {
            // It refuses logs that begin later than this, so nothing is skipped unseen.
            reading.arg(format!("--start-position={position}"));
        }
        let read = reading.args(logs).stdout(Stdio::from(writer)).spawn()?;
        drop(reading);
        let mut applying = self.tool(&tools.client);
        applying.current_dir(data).args(["--no-defaults", "--binary-mode", "--max-allowed-packet=1G"]);
        applying.arg(format!("--socket={SOCKET}")).arg(format!("--user={}", installed.user));
        let applied = applying.stdin(Stdio::from(reader)).spawn()?;
        drop(applying);
        let (read, applied) = tokio::join!(
            tools::succeeds("mariadb-binlog", read),
            tools::succeeds("the client that replays binary logs", applied)
        );
        // Where the client fails, the reader's pipe breaks, so the client's reason comes first.
        applied?;
        match read {
            Err(Error::Tool { said, .. }) if said.contains(NOTHING_AFTER) => Ok(()),
            read => read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_the_third_word() {
        let place = tempfile::tempdir().unwrap();
        assert!(position(place.path()).is_err());
        for (text, wanted) in [
            ("binlog.000004\t339\t0-1-6\n", "0-1-6"),
            ("binlog.000001\t329\t\n", ""),
            ("binlog.000001\t329\n", ""),
            ("binlog.000004\t339\t0-1-6,\n1-1-7\n", "0-1-6,1-1-7"),
        ] {
            fs::write(place.path().join(POSITION[0]), text).unwrap();
            assert_eq!(position(place.path()).unwrap(), wanted);
        }
        tidy(place.path()).unwrap();
        assert!(position(place.path()).is_err());
    }

    #[test]
    fn the_second_of_the_moment_belongs_to_it() {
        assert_eq!(stop(Moment(0)).unwrap(), "1970-01-01 00:00:01");
    }
}
