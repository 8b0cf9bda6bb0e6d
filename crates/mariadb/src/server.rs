//! The database server: where it is installed, its empty data directory, its options, and how it is started.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_supervisor::{Probe, Program, Readiness};

use crate::error::Error;
use crate::instances::{Initial, InstanceRow, Node};
use crate::sql::Connection;

/// The one command that installs it, on Debian and its kin. The package brings the programs and no service.
pub(crate) const INSTALL: &str = "apt-get install --no-install-recommends mariadb-server-core";
/// The socket's name in the data directory.
pub(crate) const SOCKET: &str = "s.sock";
/// The directory for temporary tables, beside the data directory.
pub(crate) const TEMPORARY: &str = "tmp";
/// What a server takes besides its buffer pool (`products.md` §1.6: 38 MB are its own with a pool of 16 MB, and some for sessions).
const BASE_MEMORY: u64 = 48 << 20;
/// Eight megabytes of buffer pool for each gigabyte that was ordered, at least [`SMALLEST_POOL`].
const POOL_PER_GIGABYTE: u64 = 8 << 20;
const SMALLEST_POOL: u64 = 16 << 20;
/// Recovery after a crash may take its time.
pub(crate) const READY_WITHIN: Duration = Duration::from_mins(2);
pub(crate) const STOP_WITHIN: Duration = Duration::from_mins(1);

/// Programs are looked for here, also where the PATH has no `sbin`.
const DIRECTORIES: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/usr/libexec", "/opt/mariadb/bin"];

/// The server cannot be run on this machine.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Missing {
    #[error(
        "`{0}` is not installed on this machine, so there can be no instances. Install it with: {INSTALL}"
    )]
    Program(&'static str),
    #[error(
        "`{0}` is not installed on this machine, so there are no backups. Install it with: {install}",
        install = crate::backup::tools::INSTALL
    )]
    Tool(&'static str),
    #[error("The user that Rookery runs as has no name in /etc/passwd, which the server's login needs.")]
    User,
}

impl Missing {
    pub(crate) fn chinese(&self) -> String {
        match self {
            Self::Program(program) => format!("本机未安装 `{program}`，无法创建实例。安装命令：{INSTALL}"),
            Self::Tool(program) => {
                format!("本机未安装 `{program}`，无法备份和回档。安装命令：{}", crate::backup::tools::INSTALL)
            }
            Self::User => "运行 Rookery 的用户在 /etc/passwd 中没有名称，服务器登录需要该名称。".to_owned(),
        }
    }
}

/// What is installed.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    pub(crate) server: PathBuf,
    installer: PathBuf,
    /// Who runs the servers, and may therefore log in as their superuser.
    pub(crate) user: String,
    /// `10.11.19-MariaDB…`.
    pub(crate) version: String,
}

impl Installation {
    /// Looks for the programs; nothing is remembered, so installing them is enough.
    pub(crate) fn find(directories: Option<&Path>) -> Result<Self, Missing> {
        let program = |name: &'static str| locate(directories, name).ok_or(Missing::Program(name));
        let (server, installer) = (program("mariadbd")?, program("mariadb-install-db")?);
        let said = Command::new(&server).arg("--version").stdin(Stdio::null()).output();
        let said = said.map_err(|_| Missing::Program("mariadbd"))?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let version = said.split_whitespace().find(|word| word.contains("-MariaDB")).unwrap_or("unknown");
        Ok(Self { server, installer, user: own_name().ok_or(Missing::User)?, version: version.to_owned() })
    }

    /// `10.11`.
    pub(crate) fn series(&self) -> String {
        self.version.split('.').take(2).collect::<Vec<_>>().join(".")
    }
}

/// Where a program is: in the one directory, or in the system's usual ones.
pub(crate) fn locate(directory: Option<&Path>, name: &str) -> Option<PathBuf> {
    let places =
        directory.map_or_else(|| DIRECTORIES.map(PathBuf::from).to_vec(), |one| vec![one.to_owned()]);
    places.into_iter().map(|place| place.join(name)).find(|path| path.is_file())
}

/// The name of the user that this process runs as.
fn own_name() -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// The directory of this product, and what is in it.
#[derive(Debug)]
pub(crate) struct Places {
    root: PathBuf,
    /// Where servers find their keys.
    keys: PathBuf,
    /// Held while a template is made.
    making: Mutex<()>,
}

impl Places {
    pub(crate) fn new(root: PathBuf) -> io::Result<Self> {
        private_directory(&root)?;
        Ok(Self { keys: crate::encryption::directory(&root), root, making: Mutex::default() })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn processes(&self) -> PathBuf {
        Self::processes_in(&self.root)
    }

    /// Where the records of processes are below the product's directory.
    pub(crate) fn processes_in(root: &Path) -> PathBuf {
        root.join("processes")
    }

    pub(crate) fn instance(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// Where the certificate of an instance is.
    pub(crate) fn certificates(&self, id: &str) -> PathBuf {
        self.instance(id).join("tls")
    }

    /// The file with the key of an instance whose files are encrypted.
    pub(crate) fn key(&self, id: &str) -> PathBuf {
        self.keys.join(id)
    }

    pub(crate) fn node(&self, id: &str, node: &Node) -> PathBuf {
        self.instance(id).join(&node.id)
    }

    pub(crate) fn data(&self, id: &str, node: &Node) -> PathBuf {
        self.node(id, node).join("data")
    }

    /// Directories of instances that are there.
    pub(crate) fn instances(&self) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            if let Some(name) = entry?.file_name().to_str().filter(|name| name.starts_with("tdsql-")) {
                found.push(name.to_owned());
            }
        }
        Ok(found)
    }

    /// Gives a node its data directory: a copy of an empty one that is made once for each page size. What is there stays.
    pub(crate) fn provision(
        &self,
        installed: &Installation,
        id: &str,
        node: &Node,
        page_size: u32,
    ) -> Result<(), Error> {
        let data = self.data(id, node);
        if data.exists() {
            return Ok(());
        }
        let template = self.template(installed, page_size)?;
        let unfinished = self.node(id, node).join("data.new");
        remove(&unfinished)?;
        copy(&template, &unfinished)?;
        fs::rename(&unfinished, &data)?;
        Ok(())
    }

    fn template(&self, installed: &Installation, page_size: u32) -> Result<PathBuf, Error> {
        let _one_at_a_time = self.making.lock();
        let template = self.root.join(format!("template-{}-{page_size}", installed.version));
        if template.exists() {
            return Ok(template);
        }
        let unfinished = template.with_extension("new");
        remove(&unfinished)?;
        let temporary = self.root.join("template.tmp");
        private_directory(&temporary)?;
        let ended = Command::new(&installed.installer)
            .env("TMPDIR", &temporary)
            .arg("--no-defaults")
            .arg(format!("--user={}", installed.user))
            .arg(format!("--datadir={}", unfinished.display()))
            .arg(format!("--auth-root-socket-user={}", installed.user))
            .arg("--auth-root-authentication-method=socket")
            .args(["--skip-test-db", "--skip-name-resolve", "--force", "--innodb-log-file-size=16M"])
            .arg(format!("--innodb-page-size={page_size}"))
            .stdin(Stdio::null())
            .output()?;
        if !ended.status.success() {
            tracing::error!(said = %String::from_utf8_lossy(&ended.stderr), "no empty data directory could be made");
            return Err(Error::Inconsistent("mariadb-install-db failed"));
        }
        remove(&temporary)?;
        fs::rename(&unfinished, &template)?;
        Ok(template)
    }

    /// The command of a node. Its options file is written anew.
    pub(crate) fn program(
        &self,
        installed: &Installation,
        id: &str,
        row: &InstanceRow,
        node: usize,
    ) -> Result<Program, Error> {
        let (Some(node), Some(initial)) = (row.nodes.get(node), &row.initial) else {
            return Err(Error::Inconsistent("an instance without its initial parameters has no servers"));
        };
        let directory = self.node(id, node);
        let options = directory.join("my.cnf");
        let protection = row.security.options(&self.certificates(id), &self.key(id));
        let text = options_file(installed, row, node, initial, &self.data(id, node), &protection);
        write_private(&options, &text)?;
        private_directory(&directory.join(TEMPORARY))?;
        let data = self.data(id, node);
        let arguments: Vec<OsString> = vec![format!("--defaults-file={}", options.display()).into()];
        Ok(Program {
            executable: installed.server.clone(),
            arguments,
            directory: data.clone(),
            logs: directory,
            memory: node_memory(row.memory),
            addresses: vec![node.address],
            ready_within: READY_WITHIN,
            stop_within: STOP_WITHIN,
            probe: Arc::new(Answers { data, user: installed.user.clone() }),
        })
    }

    pub(crate) async fn connect(
        &self,
        installed: &Installation,
        id: &str,
        node: &Node,
    ) -> Result<Connection, Error> {
        Ok(Connection::open(&self.data(id, node), SOCKET, &installed.user).await?)
    }

    /// Removes everything of an instance.
    pub(crate) fn remove(&self, id: &str) -> io::Result<()> {
        remove(&self.instance(id))
    }
}

/// The memory that one server of an instance is counted with.
pub(crate) fn node_memory(gigabytes: i64) -> u64 {
    BASE_MEMORY + buffer_pool(gigabytes)
}

/// The size of the buffer pool of an instance of so many gigabytes.
pub(crate) fn buffer_pool(gigabytes: i64) -> u64 {
    (u64::try_from(gigabytes).unwrap_or_default() * POOL_PER_GIGABYTE).max(SMALLEST_POOL)
}

/// A server is ready when it answers a question.
pub(crate) struct Answers {
    pub(crate) data: PathBuf,
    pub(crate) user: String,
}

impl Probe for Answers {
    fn ready(&self) -> Readiness<'_> {
        Box::pin(async {
            match Connection::open(&self.data, SOCKET, &self.user).await {
                Ok(mut connection) => connection.query("SELECT 1").await.is_ok(),
                Err(_) => false,
            }
        })
    }
}

/// The options of a node. The user's parameters come last, so they win; [`crate::parameters`] keeps those out that are ours.
pub(crate) fn options_file(
    installed: &Installation,
    row: &InstanceRow,
    node: &Node,
    initial: &Initial,
    data: &Path,
    protection: &[(&'static str, String)],
) -> String {
    let mut text = String::from("[mariadbd]\n");
    let mut option = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} = {value}");
    };
    option("user", &installed.user);
    option("datadir", &data.display());
    // A server that starts removes every temporary table in its directory for them, so no two may share one.
    option("tmpdir", &data.with_file_name(TEMPORARY).display());
    option("socket", &SOCKET);
    option("pid_file", &"server.pid");
    option("bind_address", &node.address.ip());
    option("port", &node.address.port());
    // What the instance's address says of where a client is.
    option("proxy_protocol_networks", &"127.0.0.0/8");
    option("server_id", &node.server_id);
    option("skip_name_resolve", &"ON");
    option("local_infile", &"OFF");
    option("secure_file_priv", &data.display());
    option("symbolic_links", &"OFF");
    option("character_set_server", &initial.charset);
    option("lower_case_table_names", &u8::from(initial.lower_case));
    option("innodb_page_size", &initial.page_size);
    option("innodb_log_file_size", &"16M");
    option("innodb_buffer_pool_size", &buffer_pool(row.memory));
    // Without it 10.11 reserves 8 TiB of addresses, which fails under limits on virtual memory.
    option("loose_innodb_buffer_pool_size_max", &"1G");
    // What else is taken at the start: caches of engines that hold nothing but system tables, and buffers that grow when needed.
    option("innodb_log_buffer_size", &"2M");
    option("key_buffer_size", &"1M");
    option("aria_pagecache_buffer_size", &"2M");
    option("query_cache_type", &"OFF");
    option("query_cache_size", &0);
    option("performance_schema", &"OFF");
    option("log_bin", &"binlog");
    option("log_slave_updates", &"ON");
    option("binlog_format", &"ROW");
    option("sync_binlog", &1);
    option("gtid_strict_mode", &"ON");
    option("expire_logs_days", &row.log_days);
    option("slow_query_log", &"ON");
    option("slow_query_log_file", &"slow.log");
    option("long_query_time", &1);
    option("max_connections", &200);
    // Rows are replicated, not statements, so who makes a function cannot lead a standby astray.
    option("log_bin_trust_function_creators", &"ON");
    // A node begins as a standby; what arranges the nodes says which one may be written to.
    option("read_only", &"ON");
    option("skip_slave_start", &"ON");
    option("rpl_semi_sync_master_wait_no_slave", &"ON");
    // Nobody sees a row that a standby does not have yet.
    option("rpl_semi_sync_master_wait_point", &"AFTER_SYNC");
    for (name, value) in protection {
        option(name, value);
    }
    for (name, value) in &row.parameters {
        option(name, value);
    }
    text
}

pub(crate) fn private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        private_directory(parent)?;
    }
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How many bytes the files in a directory have; none where it is not there. Files come and go meanwhile.
pub(crate) fn size_of(directory: &Path) -> io::Result<u64> {
    let mut sum = 0;
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => sum += size_of(&entry.path())?,
            Ok(metadata) => sum += metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sum)
}

pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    private_directory(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_installed_is_named_with_what_installs_it() {
        let empty = tempfile::tempdir().unwrap();
        let missing = Installation::find(Some(empty.path())).unwrap_err();
        assert!(missing.to_string().contains("mariadbd") && missing.to_string().ends_with(INSTALL));
        assert!(missing.chinese().ends_with(INSTALL));
    }

    #[test]
    fn the_pool_grows_with_what_was_ordered() {
        assert_eq!(buffer_pool(1), 16 << 20);
        assert_eq!(buffer_pool(8), 64 << 20);
        assert!(node_memory(2) < node_memory(64));
    }

    #[test]
    fn directories_are_copied_whole() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir_all(from.join("deep")).unwrap();
        fs::write(from.join("deep/file"), "text").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("deep/file")).unwrap(), "text");
        remove(&to).unwrap();
        remove(&to).unwrap();
        assert!(!to.exists());
    }
}
