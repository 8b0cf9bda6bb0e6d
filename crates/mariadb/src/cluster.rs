//! The servers of an instance together: started, arranged into a primary and its standbys, stopped.

use std::time::Duration;

use rookery_supervisor::{StartError, State};
use tokio::time::{sleep, timeout};

use crate::MariaDb;
use crate::error::Error;
use crate::instances::{InstanceRow, Node, Phase};
use crate::server::{self, Installation};
use crate::sql::{self, Connection};

/// Who standbys follow as.
pub(crate) const REPLICA: &str = "rookery_replica";
/// How long a standby may take to connect, and to catch up before it becomes the primary.
const CATCH_UP: Duration = Duration::from_mins(1);
/// How long the primary waits for a standby in mode 2, before it goes on alone, and in mode 1, which is for ever: ten years.
const DEGRADE_AFTER: u64 = 10_000;
const NEVER_DEGRADE: u64 = 315_360_000_000;

/// The name of a node's process.
pub(crate) fn process(id: &str, node: &Node) -> String {
    format!("{id}.{}", node.id)
}

impl MariaDb {
    /// What is installed; asked once it is there.
    pub(crate) fn installation(&self) -> Result<Installation, Error> {
        let mut known = self.installed.lock();
        if let Some(installed) = &*known {
            return Ok(installed.clone());
        }
        let found = Installation::find(self.programs.as_deref())?;
        *known = Some(found.clone());
        Ok(found)
    }

    /// Gives every node its data directory.
    pub(crate) async fn provision(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        let installed = self.installation()?;
        let page_size = row.initial.as_ref().ok_or(Error::Inconsistent("no page size"))?.page_size;
        let (places, id, nodes) = (std::sync::Arc::clone(&self.places), id.to_owned(), row.nodes.clone());
        let copying = tokio::task::spawn_blocking(move || {
            nodes.iter().try_for_each(|node| places.provision(&installed, &id, node, page_size))
        });
        copying.await.map_err(|_| Error::Inconsistent("copying an empty data directory panicked"))?
    }

    /// Starts the servers, arranges them and opens the address.
    pub(crate) async fn bring_up(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        let installed = self.installation()?;
        self.place_key(id, row)?;
        self.certify(id, row)?;
        let mut programs = Vec::new();
        for (at, node) in row.nodes.iter().enumerate() {
            programs.push((process(id, node), self.places.program(&installed, id, row, at)?));
        }
        let starts = programs.into_iter().map(|(name, program)| {
            let supervisor = std::sync::Arc::clone(&self.supervisor);
            tokio::spawn(async move { supervisor.start(&name, program).await })
        });
        for start in starts.collect::<Vec<_>>() {
            start.await.map_err(|_| StartError::Superseded)??;
        }
        // Those that are adopted may have a former certificate.
        self.recertify(id, row).await?;
        self.arrange(id, row).await?;
        self.open_door(id, row).await
    }

    /// Closes the address and stops the servers, the standbys first, so that the primary's last writes are not waited for in vain.
    pub(crate) async fn take_down(&self, id: &str, row: &InstanceRow) {
        self.doors.lock().remove(id);
        if row.nodes.len() > 1
            && let Ok(mut primary) = self.primary(id, row).await
            && let Err(error) = primary.run("SET GLOBAL rpl_semi_sync_master_enabled = OFF").await
        {
            tracing::warn!(instance = id, %error, "the primary keeps waiting for its standbys");
        }
        let (primary, standbys): (Vec<_>, Vec<_>) =
            row.nodes.iter().enumerate().partition(|(at, _)| *at == row.primary);
        for (_, node) in standbys.into_iter().chain(primary) {
            self.supervisor.stop(&process(id, node)).await;
        }
        self.remove_key(id);
    }

    /// A connection to the primary.
    pub(crate) async fn primary(&self, id: &str, row: &InstanceRow) -> Result<Connection, Error> {
        self.connect(id, row.primary_node()?).await
    }

    /// A connection to a node.
    pub(crate) async fn connect(&self, id: &str, node: &Node) -> Result<Connection, Error> {
        self.places.connect(&self.installation()?, id, node).await
    }

    /// `Status` and its words. An instance counts as running only while its primary answers and its address is open.
    pub(crate) fn status(&self, id: &str, row: &InstanceRow) -> (i64, &'static str) {
        let up = row.nodes.get(row.primary).is_some_and(|node| self.is_ready(id, node))
            && self.doors.lock().contains_key(id);
        let phase =
            if row.phase == Phase::Running && row.flow == 0 && !up { Phase::Restarting } else { row.phase };
        phase.status(row.flow)
    }

    pub(crate) fn is_ready(&self, id: &str, node: &Node) -> bool {
        matches!(self.supervisor.state(&process(id, node)), State::Ready { .. })
    }

    /// The standby that is to take over from a primary that does not answer: of those that do, the one that has received most.
    pub(crate) async fn heir(&self, id: &str, row: &InstanceRow) -> Option<usize> {
        let mut best = None;
        for (at, node) in row.nodes.iter().enumerate() {
            if at == row.primary || !self.is_ready(id, node) {
                continue;
            }
            let received = match self.connect(id, node).await {
                Ok(mut standby) => {
                    match standby.query("SELECT @@GLOBAL.gtid_current_pos AS position").await {
                        Ok(rows) => sequence(&rows.first("position")),
                        Err(_) => continue,
                    }
                }
                Err(_) => continue,
            };
            best = best.max(Some((received, std::cmp::Reverse(at))));
        }
        best.map(|(_, at)| at.0)
    }

    /// The version of the server that is installed; empty where none is.
    pub(crate) fn version(&self) -> String {
        self.installation().map(|installed| installed.version).unwrap_or_default()
    }

    /// How much of the storage that was ordered the primary's data take, in per cent.
    pub(crate) async fn storage_usage(&self, id: &str, row: &InstanceRow) -> Result<String, Error> {
        let data = self.places.data(id, row.primary_node()?);
        let taken = tokio::task::spawn_blocking(move || server::size_of(&data)).await;
        let taken = taken.map_err(|_| Error::Inconsistent("measuring a directory panicked"))??;
        let ordered = u64::try_from(row.storage).unwrap_or_default() << 30;
        let hundredths = taken.saturating_mul(10_000).checked_div(ordered).unwrap_or_default();
        Ok(format!("{}.{:02}", hundredths / 100, hundredths % 100))
    }

    /// Makes the primary writable and the others follow it, in the instance's mode. Where it is so already, nothing changes.
    pub(crate) async fn arrange(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        let password = self.replication_password(id, row)?;
        let primary_node = row.primary_node()?;
        let mut primary = self.connect(id, primary_node).await?;
        primary.run("STOP SLAVE").await?;
        primary.run("RESET SLAVE ALL").await?;
        if row.nodes.len() > 1 {
            allow_replica(&mut primary, &password).await?;
        }
        let waits = row.sync_mode != 0;
        for (at, node) in row.nodes.iter().enumerate().filter(|(at, _)| *at != row.primary) {
            // One that is down is arranged when it is back.
            if !self.is_ready(id, node) {
                continue;
            }
            let mut standby = self.connect(id, node).await?;
            follow(&mut standby, primary_node, &password, waits).await?;
            tracing::debug!(instance = id, node = at, "a standby follows");
        }
        // Only now: a primary that waits for standbys while there are none holds up its first commit.
        let patience = if row.sync_mode == 1 { NEVER_DEGRADE } else { DEGRADE_AFTER };
        primary.run(&format!("SET GLOBAL rpl_semi_sync_master_timeout = {patience}")).await?;
        let waiting = if waits && row.nodes.len() > 1 { "ON" } else { "OFF" };
        primary.run(&format!("SET GLOBAL rpl_semi_sync_master_enabled = {waiting}")).await?;
        Ok(primary.run("SET GLOBAL read_only = OFF").await?)
    }

    /// Gives the servers another size, without a restart where the server can: the options file is written for the next start.
    pub(crate) async fn resize(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        let installed = self.installation()?;
        for (at, node) in row.nodes.iter().enumerate() {
            self.places.program(&installed, id, row, at)?;
            let mut server = self.connect(id, node).await?;
            let pool = server::buffer_pool(row.memory);
            server.run(&format!("SET GLOBAL innodb_buffer_pool_size = {pool}")).await?;
        }
        Ok(())
    }

    /// Makes another node the primary: writes stop, it catches up, they go on there.
    pub(crate) async fn switch(&self, id: &str, row: &InstanceRow, to: usize) -> Result<(), Error> {
        let target = row.nodes.get(to).ok_or(Error::Inconsistent("there is no such node"))?;
        let mut next = self.connect(id, target).await?;
        if to != row.primary {
            let mut former = self.primary(id, row).await?;
            former.run("SET GLOBAL read_only = ON").await?;
            former.run("SET GLOBAL rpl_semi_sync_master_enabled = OFF").await?;
            let reached =
                former.query("SELECT @@GLOBAL.gtid_binlog_pos AS position").await?.first("position");
            let wait =
                format!("SELECT MASTER_GTID_WAIT({}, {}) AS late", sql::text(&reached), CATCH_UP.as_secs());
            if next.query(&wait).await?.first("late") != "0" {
                former.run("SET GLOBAL read_only = OFF").await?;
                return Err(Error::Inconsistent("the standby did not catch up"));
            }
        }
        let mut turned = row.clone();
        turned.primary = to;
        self.arrange(id, &turned).await?;
        self.open_door(id, &turned).await
    }

    pub(crate) fn replication_password(&self, id: &str, row: &InstanceRow) -> Result<String, Error> {
        let open = self.seal.open(&crate::replication_context(id), &row.replication)?;
        Ok(String::from_utf8_lossy(&open).into_owned())
    }
}

/// The number of the last transaction of a position such as `0-1-42`. All servers write in one domain.
fn sequence(position: &str) -> u64 {
    position.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Lets standbys log in. Told to each server by itself, so that their histories stay alike.
async fn allow_replica(server: &mut Connection, password: &str) -> Result<(), Error> {
    let who = sql::account(REPLICA, "127.%");
    server.run("SET SESSION sql_log_bin = 0").await?;
    server.run(&format!("CREATE USER IF NOT EXISTS {who} IDENTIFIED BY {}", sql::text(password))).await?;
    server.run(&format!("GRANT REPLICATION SLAVE ON *.* TO {who}")).await?;
    Ok(server.run("SET SESSION sql_log_bin = 1").await?)
}

/// Makes a server follow the primary, and waits until it is connected.
async fn follow(standby: &mut Connection, primary: &Node, password: &str, waits: bool) -> Result<(), Error> {
    standby.run("SET GLOBAL read_only = ON").await?;
    allow_replica(standby, password).await?;
    standby.run("SET GLOBAL rpl_semi_sync_master_enabled = OFF").await?;
    let semi = if waits { "ON" } else { "OFF" };
    standby.run(&format!("SET GLOBAL rpl_semi_sync_slave_enabled = {semi}")).await?;
    standby.run("STOP SLAVE").await?;
    // A former primary has written itself; what it wrote is where it goes on from.
    let position = standby.query("SELECT @@GLOBAL.gtid_current_pos AS position").await?.first("position");
    standby.run(&format!("SET GLOBAL gtid_slave_pos = {}", sql::text(&position))).await?;
    let (host, port) = (primary.address.ip(), primary.address.port());
    let (who, password) = (sql::text(REPLICA), sql::text(password));
    standby
        .run(&format!(
            "CHANGE MASTER TO MASTER_HOST = '{host}', MASTER_PORT = {port}, MASTER_USER = {who}, \
             MASTER_PASSWORD = {password}, MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = slave_pos"
        ))
        .await?;
    standby.run("START SLAVE").await?;
    let connected = timeout(CATCH_UP, async {
        loop {
            let status = standby.query("SHOW SLAVE STATUS").await?;
            if status.first("Slave_IO_Running") == "Yes" && status.first("Slave_SQL_Running") == "Yes" {
                return Ok::<_, Error>(());
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    connected.await.map_err(|_| Error::Inconsistent("a standby does not follow its primary"))?
}
