//! Copies of a running server's data: for a standby that can follow nobody any more, and for instances for disaster recovery.
//!
//! `mariadb-backup` copies while the server goes on. The position of the copy is kept beside it until the server that has it was
//! started once and knows it.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::MariaDb;
use crate::backup::tools;
use crate::cluster::{NO_NODE, process};
use crate::error::Error;
use crate::instances::{InstanceRow, Node};
use crate::replication::{self, Following, Leader};
use crate::server::{Missing, Places, copy, locate, private_directory, remove, write_private};
use crate::sql::{self, Rows};

/// Where a copy tells its position: by one name up to 10.11, by the other since.
const TOLD: [&str; 2] = ["xtrabackup_binlog_info", "mariadb_backup_binlog_info"];
/// How often it is looked whether a copy waits in vain.
const LOOK: Duration = Duration::from_secs(1);
/// What sessions of a primary say that wait: one for a standby, and one that makes a backup for the first.
const WAITS_FOR_STANDBY: &str = "Waiting for semi-sync ACK from slave";
const WAITS_FOR_COMMITS: &str = "Waiting for backup lock";

impl MariaDb {
    /// Gives a standby that can follow nobody a copy of the primary's data, and has it follow.
    pub(crate) async fn rebuild(&self, id: &str, row: &InstanceRow, at: usize) -> Result<(), Error> {
        let node = row.nodes.get(at).filter(|_| at != row.primary).ok_or(NO_NODE)?;
        self.supervisor.stop(&process(id, node)).await;
        let (places, name, removed) = (Arc::clone(&self.places), id.to_owned(), node.clone());
        blocking(move || Ok(remove(&places.data(&name, &removed))?)).await?;
        self.copy_of_primary(id, row, node).await?;
        self.start_node(id, row, at).await?;
        self.plant(id, row).await?;
        let mut standby = self.connect(id, node).await?;
        let password = self.replication_password(id, row)?;
        replication::allow_replica(&mut standby, &password).await?;
        let leader = Leader { node: row.primary_node()?.clone(), password, waits: row.sync_mode != 0 };
        let mut primary = self.primary(id, row).await?;
        match replication::follow(&mut standby, &leader, Some(&mut primary), replication::CATCH_UP).await? {
            Following::Yes => Ok(()),
            _ => Err(Error::Inconsistent("a copy of the primary cannot follow it")),
        }
    }

    /// Gives a standby a copy of the primary's data. What is there stays. The copy waits for commits, and where this standby is the only
    /// one, commits may wait for it: they are not waited for, and nobody is told that they are done.
    pub(crate) async fn copy_of_primary(&self, id: &str, row: &InstanceRow, to: &Node) -> Result<(), Error> {
        let looking = async {
            loop {
                sleep(LOOK).await;
                self.end_vain_waits(id, row, to).await?;
            }
        };
        tokio::select! {
            copied = self.copy_of((id, row.primary_node()?), id, to) => copied,
            failed = looking => failed,
        }
    }

    async fn end_vain_waits(&self, id: &str, row: &InstanceRow, to: &Node) -> Result<(), Error> {
        // Asked themselves: the primary takes half a minute to notice that one is gone.
        for (_, other) in row.standbys().filter(|(_, node)| *node != to) {
            if self.is_ready(id, other) && self.receives(id, other).await.unwrap_or_default() {
                return Ok(());
            }
        }
        let mut primary = self.primary(id, row).await?;
        let sessions = primary.query("SELECT ID, STATE FROM information_schema.PROCESSLIST").await?;
        let commits = in_state(&sessions, WAITS_FOR_STANDBY);
        if commits.is_empty() || in_state(&sessions, WAITS_FOR_COMMITS).is_empty() {
            return Ok(());
        }
        tracing::warn!(
            instance = id,
            "commits wait for a standby that is made anew; their clients are cut off"
        );
        // First all of them: with each commit that is ended others may be done, of clients that do not wait themselves.
        self.cut_off_clients(id);
        for session in commits {
            // One that has just ended is no session any more.
            primary.run(&format!("KILL {session}")).await.ok();
        }
        Ok(())
    }

    /// Gives a node a copy of the data of a server that runs. What is there stays.
    pub(crate) async fn copy_of(
        &self,
        (source, from): (&str, &Node),
        id: &str,
        to: &Node,
    ) -> Result<(), Error> {
        let data = self.places.data(id, to);
        if data.exists() {
            return Ok(());
        }
        let tool = self.copier()?;
        let unfinished = self.places.node(id, to).join("data.new");
        let cleared = unfinished.clone();
        blocking(move || {
            remove(&cleared)?;
            Ok(private_directory(&cleared)?)
        })
        .await?;
        let (user, there) = (self.installation()?.user, self.places.data(source, from));
        let mut command = self.copying(&tool, &there, &user);
        let running = command.arg(tools::option("target-dir", &unfinished)).spawn()?;
        tools::succeeds("mariadb-backup --backup", running).await?;
        self.prepare(&tool, &unfinished).await?;
        let beside = self.position_file(id, to);
        blocking(move || {
            let position = TOLD.iter().find_map(|name| fs::read_to_string(unfinished.join(name)).ok());
            // Nothing is told of a server that has written nothing.
            let position = position.as_deref().and_then(|told| told.split_whitespace().nth(2)).unwrap_or("");
            write_private(&beside, position)?;
            Ok(fs::rename(&unfinished, &data)?)
        })
        .await
    }

    /// Gives the other nodes what the first was given by [`copy_of`](Self::copy_of), before it is started.
    pub(crate) async fn multiply(&self, id: &str, first: &Node, others: Vec<Node>) -> Result<(), Error> {
        let (places, id) = (Arc::clone(&self.places), id.to_owned());
        let (from, position) = (self.places.data(&id, first), self.position_file(&id, first));
        blocking(move || {
            let position = match fs::read_to_string(position) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                position => position?,
            };
            for node in &others {
                let (unfinished, data) = (places.node(&id, node).join("data.new"), places.data(&id, node));
                if data.exists() {
                    continue;
                }
                remove(&unfinished)?;
                copy(&from, &unfinished)?;
                write_private(&position_file(&places, &id, node), &position)?;
                fs::rename(unfinished, data)?;
            }
            Ok(())
        })
        .await
    }

    /// Tells servers with a copy of another's data, once, where in the common history they are.
    pub(crate) async fn plant(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        for node in &row.nodes {
            let file = self.position_file(id, node);
            let position = match fs::read_to_string(&file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                position => position?,
            };
            if !self.is_ready(id, node) {
                continue;
            }
            let mut server = self.connect(id, node).await?;
            let position = sql::text(position.trim());
            for statement in [
                "STOP SLAVE".to_owned(),
                "RESET SLAVE ALL".to_owned(),
                "RESET MASTER".to_owned(),
                format!("SET GLOBAL gtid_binlog_state = {position}"),
                format!("SET GLOBAL gtid_slave_pos = {position}"),
            ] {
                server.run(&statement).await?;
            }
            fs::remove_file(&file)?;
        }
        Ok(())
    }

    /// The tool, where it is installed.
    pub(crate) fn copier(&self) -> Result<PathBuf, Error> {
        Ok(locate(self.programs.as_deref(), "mariadb-backup").ok_or(Missing::Tool("mariadb-backup"))?)
    }

    fn position_file(&self, id: &str, node: &Node) -> PathBuf {
        position_file(&self.places, id, node)
    }
}

/// The numbers of the sessions that are in a state.
fn in_state(sessions: &Rows, state: &str) -> Vec<String> {
    let there = sessions.rows.iter().filter(|row| sessions.cell(row, "STATE") == state);
    there.map(|row| sessions.cell(row, "ID")).collect()
}

fn position_file(places: &Places, id: &str, node: &Node) -> PathBuf {
    places.node(id, node).join("position")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Inconsistent("work on files panicked"))?
}
