//! The files of an instance that can be downloaded: what there is, and under which path.
//!
//! A path is `/tdsql/<instance>/<kind>/…`. It is looked up among the files that there are and never made into a name of the file system,
//! so no path leads anywhere else.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use rookery_api::mariadb::ErrorCode;
use rookery_gateway::Refusal as _;
use rookery_store::Read;
use time::Duration;

use crate::MariaDb;
use crate::backup::archive::moment;
use crate::backup::taking;
use crate::error::Error;
use crate::instances::{ById, InstanceRow};
use crate::moments::Moment;

/// Where files are served, before their own paths.
pub const FILES: &str = "/_rookery/files";
/// How long an address is good.
const GOOD_FOR: Duration = Duration::hours(1);

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Binlog,
    Data,
    Error,
    Slow,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Data, Self::Binlog, Self::Error, Self::Slow];

    /// `Type` of `DescribeDBLogFiles`.
    pub(crate) fn numbered(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Binlog),
            2 => Some(Self::Data),
            3 => Some(Self::Error),
            4 => Some(Self::Slow),
            _ => None,
        }
    }

    /// `BackupType` of `DescribeBackupFiles`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Binlog => "Binlog",
            Self::Data => "Data",
            Self::Error => "Errlog",
            Self::Slow => "Slowlog",
        }
    }

    fn segment(self) -> &'static str {
        match self {
            Self::Binlog => "binlog",
            Self::Data => "xtrabackup",
            Self::Error => "errlog",
            Self::Slow => "slowlog",
        }
    }
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) kind: Kind,
    pub(crate) path: String,
    pub(crate) name: String,
    file: PathBuf,
    pub(crate) length: u64,
    pub(crate) begun: Moment,
    pub(crate) ended: Moment,
}

/// A file that may be read.
#[derive(Debug)]
pub struct Download {
    /// The file, at its beginning.
    pub file: File,
    /// How long it is now.
    pub length: u64,
    /// What a client may call it.
    pub name: String,
}

/// Why a file is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The address is not signed, not for this file, or has expired.
    Signature,
    /// There is no such file any more.
    Gone,
    /// It cannot be read; the log says why.
    Failed,
}

impl MariaDb {
    /// Says where this process serves files (`http://127.0.0.1:8080`), which addresses of files begin with. The first word stands.
    pub fn serve_files_at(&self, base: &str) {
        // A second listener changes nothing: addresses that were given out stay good.
        let _already_known = self.backups.served_at.set(base.to_owned());
    }

    /// What a path needs before it to be an address.
    pub(crate) fn files_prefix(&self) -> Result<String, Error> {
        let base = self.backups.served_at.get().ok_or_else(|| {
            Error::refuse(
                ErrorCode::InternalErrorCosConfiguration,
                "This process does not serve files.",
                "当前进程不提供文件下载。",
            )
        })?;
        Ok(format!("{base}{FILES}"))
    }

    /// The path with what lets it be read for a while.
    pub(crate) async fn signed_path(&self, path: &str) -> Result<String, Error> {
        let key = self.url_key().await?;
        Ok(format!("{path}?{}", key.sign(path, self.now().plus(GOOD_FOR))))
    }

    /// The files of one kind, the oldest first.
    pub(crate) fn files(&self, id: &str, row: &InstanceRow, kind: Kind) -> Result<Vec<Stored>, Error> {
        let path = |rest: &str| format!("/tdsql/{id}/{}/{rest}", kind.segment());
        let mut found = Vec::new();
        match kind {
            Kind::Binlog => {
                self.archive_logs(id, row)?;
                let node = row.primary_node()?;
                found.extend(self.logs(id, node)?.into_iter().map(|log| Stored {
                    kind,
                    path: path(&format!("{}/{}", node.id, log.name)),
                    name: log.name,
                    file: log.path,
                    length: log.length,
                    begun: log.begun,
                    ended: log.written,
                }));
            }
            Kind::Data => {
                let rows = self.store.read(|view| taking::list(view, id))?;
                found.extend(rows.into_iter().map(|backup| Stored {
                    kind,
                    path: path(&backup.file),
                    file: self.backup_directory(id).join(&backup.file),
                    name: backup.file,
                    length: backup.size,
                    begun: backup.begun,
                    ended: backup.ended,
                }));
            }
            Kind::Error | Kind::Slow => {
                for node in &row.nodes {
                    let (directory, names) = match kind {
                        Kind::Slow => (self.places.data(id, node), ["slow.log"].as_slice()),
                        _ => (self.places.node(id, node), ["stderr.log.1", "stderr.log"].as_slice()),
                    };
                    for name in names {
                        let shown = format!("{}.{}", node.id, name.replace("stderr", "error"));
                        found.extend(log(kind, path(&shown), shown, directory.join(name))?);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The file of a path, if it is of that instance.
    pub(crate) fn file(&self, id: &str, row: &InstanceRow, path: &str) -> Result<Option<Stored>, Error> {
        for kind in Kind::ALL {
            if path.starts_with(&format!("/tdsql/{id}/{}/", kind.segment())) {
                return Ok(self.files(id, row, kind)?.into_iter().find(|stored| stored.path == path));
            }
        }
        Ok(None)
    }

    /// Opens the file of a path, if the query has the signature that lets it be read now.
    pub async fn download(&self, path: &str, query: &str) -> Result<Download, Denied> {
        let failed = |error: Error| {
            let error = error.internal().unwrap_or_else(|| error.to_string());
            tracing::error!(path, error, "a file cannot be served");
            Denied::Failed
        };
        let key = self.url_key().await.map_err(failed)?;
        if !key.allows(path, query, self.now()) {
            return Err(Denied::Signature);
        }
        self.open(path).map_err(failed)?.ok_or(Denied::Gone)
    }

    fn open(&self, path: &str) -> Result<Option<Download>, Error> {
        let Some(id) = path.split('/').nth(2) else { return Ok(None) };
        let found = self.store.read(|view| view.find::<ById>(id))?;
        let Some((_, id, row)) = found else { return Ok(None) };
        let Some(stored) = self.file(&id, &row, path)? else { return Ok(None) };
        let file = match File::open(&stored.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let length = file.metadata()?.len();
        Ok(Some(Download { file, length, name: stored.name }))
    }
}

/// A log that a server writes; nothing where it has not yet.
fn log(kind: Kind, path: String, name: String, file: PathBuf) -> io::Result<Option<Stored>> {
    let metadata = match fs::metadata(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    let ended = moment(metadata.modified()?);
    // Not every file system knows when a file was made.
    let begun = metadata.created().ok().filter(|at| *at > UNIX_EPOCH).map_or(ended, moment);
    Ok(Some(Stored { kind, path, name, file, length: metadata.len(), begun, ended }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rookery_seal::Seal;
    use rookery_store::{Regional, Store};
    use rookery_world::World;

    use super::*;
    use crate::Options;
    use crate::instances::Instances;

    async fn product(place: &std::path::Path) -> (Arc<MariaDb>, World) {
        let world = World::pinned(time::OffsetDateTime::UNIX_EPOCH, 1);
        let store = Store::in_memory();
        let (seal, options) = (Seal::ephemeral().unwrap(), Options::new(place));
        let mariadb = MariaDb::new(options, store, seal, world.clone()).unwrap();
        let scope = Regional { uin: 1, region: "ap-guangzhou".to_owned() };
        mariadb
            .store
            .write(move |tx| {
                tx.put::<Instances>(&scope, &"tdsql-00000000".to_owned(), &InstanceRow::sample())
            })
            .await
            .unwrap();
        let node = mariadb.places.node("tdsql-00000000", &InstanceRow::sample().nodes[0]);
        fs::create_dir_all(&node).unwrap();
        fs::write(node.join("stderr.log"), "the error log").unwrap();
        fs::write(node.join("my.cnf"), "secret").unwrap();
        (mariadb, world)
    }

    #[tokio::test]
    async fn a_signed_address_opens_its_file_until_it_expires() {
        let place = tempfile::tempdir().unwrap();
        let (mariadb, world) = product(place.path()).await;
        let files = mariadb.files("tdsql-00000000", &InstanceRow::sample(), Kind::Error).unwrap();
        let [log] = files.as_slice() else { panic!("{files:?}") };
        let signed = mariadb.signed_path(&log.path).await.unwrap();
        let (path, query) = signed.split_once('?').unwrap();
        let opened = mariadb.download(path, query).await.unwrap();
        assert_eq!((opened.length, opened.name.as_str()), (13, "0a1b2c3d4e5f.error.log"));
        assert_eq!(io::read_to_string(opened.file).unwrap(), "the error log");
        let denied = async |path: &str, query: &str| mariadb.download(path, query).await.unwrap_err();
        assert_eq!(denied(path, "").await, Denied::Signature);
        assert_eq!(denied("/tdsql/tdsql-00000000/errlog/other", query).await, Denied::Signature);
        world.advance(Duration::minutes(59));
        assert!(mariadb.download(path, query).await.is_ok());
        world.advance(Duration::minutes(1));
        assert_eq!(denied(path, query).await, Denied::Signature);
    }

    #[tokio::test]
    async fn no_path_leads_out_of_the_files() {
        let place = tempfile::tempdir().unwrap();
        let (mariadb, _) = product(place.path()).await;
        for path in [
            "/tdsql/tdsql-00000000/errlog/../my.cnf",
            "/tdsql/tdsql-00000000/errlog/my.cnf",
            "/tdsql/tdsql-00000000/0a1b2c3d4e5f/my.cnf",
            "/tdsql/tdsql-11111111/errlog/0a1b2c3d4e5f.error.log",
            "/etc/passwd",
            "",
        ] {
            let signed = mariadb.signed_path(path).await.unwrap();
            let (path, query) = signed.split_once('?').unwrap();
            assert_eq!(mariadb.download(path, query).await.unwrap_err(), Denied::Gone, "{path}");
        }
        assert!(mariadb.files_prefix().is_err());
        mariadb.serve_files_at("http://127.0.0.1:1");
        assert_eq!(mariadb.files_prefix().unwrap(), "http://127.0.0.1:1/_rookery/files");
    }
}
