//! The programs that take backups and read binary logs: where they are, how they are run, and how those of a dead process are ended.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::sleep;

use crate::MariaDb;
use crate::error::Error;
use crate::server::{Missing, SOCKET, locate};

/// The one command that installs them, on Debian and its kin.
pub(crate) const INSTALL: &str = "apt-get install --no-install-recommends mariadb-backup mariadb-client";
/// How often the tool that copies a server reads its redo log, in milliseconds. That log is small here, and once a second, which the
/// tool does by itself, a writer at full speed goes around it in less.
const READ_REDO_LOG_EVERY: &str = "--log-copy-interval=50";
/// Marks the programs that a process of Rookery with this directory has started.
const MARK: &str = "ROOKERY_MARIADB_TOOL_OF";
/// How often it is looked whether a program that was killed is gone.
const ENDED_EVERY: Duration = Duration::from_millis(5);
/// How much of what a program wrote to stderr is kept: its end says why it failed.
const LAST_WORDS: usize = 2048;

/// Where the programs are.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) backup: PathBuf,
    pub(crate) unpack: PathBuf,
    pub(crate) read_logs: PathBuf,
    pub(crate) client: PathBuf,
}

impl Tools {
    fn find(directory: Option<&Path>) -> Result<Self, Missing> {
        let program = |name| locate(directory, name).ok_or(Missing::Tool(name));
        Ok(Self {
            backup: program("mariabackup")?,
            unpack: program("mbstream")?,
            read_logs: program("mariadb-binlog")?,
            client: program("mariadb")?,
        })
    }
}

/// An option of a program whose value is a path.
pub(crate) fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(format!("--{name}="));
    option.push(path);
    option
}

impl MariaDb {
    /// The programs; asked for until they are there.
    pub(crate) fn tools(&self) -> Result<Tools, Missing> {
        let mut known = self.backups.tools.lock();
        if let Some(tools) = &*known {
            return Ok(tools.clone());
        }
        let found = Tools::find(self.programs.as_deref())?;
        *known = Some(found.clone());
        Ok(found)
    }

    /// The command that copies what the server with this data directory has, while it goes on. Where to is left to say.
    pub(crate) fn copying(&self, backup: &Path, data: &Path, user: &str) -> Command {
        let mut command = self.tool(backup);
        // The socket is named relative to where it is, because its whole path may be too long.
        command.current_dir(data).args(["--no-defaults", "--backup", READ_REDO_LOG_EVERY]);
        command.arg(format!("--socket={SOCKET}")).arg(format!("--user={user}")).arg(option("datadir", data));
        command
    }

    /// Brings a copy of a server's data up to its position.
    pub(crate) async fn prepare(&self, backup: &Path, data: &Path) -> Result<(), Error> {
        // What the copy says of the server that it is of: its page size, and where its plugins are.
        let mut command = self.tool(backup);
        command
            .arg(option("defaults-file", &data.join("backup-my.cnf")))
            .args(["--prepare", "--use-memory=64M"]);
        succeeds("mariadb-backup --prepare", command.arg(option("target-dir", data)).spawn()?).await
    }

    /// A command that dies with the future that runs it, and whose process the next start finds if this process is killed.
    pub(crate) fn tool(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env(MARK, self.places.root())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("TMPDIR", self.places.root())
            // Times in binary logs are compared with times of the command line, which are written in UTC.
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    /// Ends programs that a former process with this directory has left, and waits until they are gone.
    pub(crate) async fn end_strays(&self) -> io::Result<()> {
        let mark = [MARK.as_bytes(), b"=", self.places.root().as_os_str().as_bytes()].concat();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(number) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw)
            else {
                continue;
            };
            // Held before it is looked at, so that the signal reaches no other process of the same number.
            let Ok(held) = pidfd_open(number, PidfdFlags::empty()) else { continue };
            if !is_marked(&name, &mark) {
                continue;
            }
            tracing::warn!(pid = number.as_raw_nonzero(), "a program that a former process left is ended");
            // An error says that it has ended by itself.
            while pidfd_send_signal(&held, Signal::KILL).is_ok() && is_marked(&name, &mark) {
                sleep(ENDED_EVERY).await;
            }
        }
        Ok(())
    }
}

/// Whether a process is ours by its environment; those of other users cannot be read, and are not.
fn is_marked(process: &OsStr, mark: &[u8]) -> bool {
    let environment = fs::read(Path::new("/proc").join(process).join("environ"));
    environment.is_ok_and(|text| text.split(|byte| *byte == 0).any(|variable| variable == mark))
}

/// Reads what a program writes to stderr to its end, and keeps the last of it.
pub(crate) async fn last_words(stderr: Option<ChildStderr>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        kept.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let surplus = kept.len().saturating_sub(LAST_WORDS);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// Waits until a program ends; anything but success is an error, with its last words.
pub(crate) async fn succeeds(what: &'static str, mut child: Child) -> Result<(), Error> {
    let said = last_words(child.stderr.take()).await;
    let status = child.wait().await?;
    if status.success() { Ok(()) } else { Err(Error::Tool { what, status, said }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_installed_is_named_with_what_installs_it() {
        let empty = tempfile::tempdir().unwrap();
        let missing = Tools::find(Some(empty.path())).unwrap_err();
        assert!(missing.to_string().contains("mariabackup") && missing.to_string().ends_with(INSTALL));
        assert!(missing.chinese().ends_with(INSTALL));
    }

    #[tokio::test]
    async fn a_failure_says_the_last_words() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo the disk is full >&2; exit 3"]).stderr(Stdio::piped());
        let failed = succeeds("test", command.spawn().unwrap()).await.unwrap_err();
        assert!(matches!(failed, Error::Tool { what: "test", said, .. } if said == "the disk is full"));
    }
}
