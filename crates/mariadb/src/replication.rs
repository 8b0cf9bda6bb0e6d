//! Who of an instance's servers is the primary, who follows it, and who may take over.
//!
//! A commit that the primary waits for is in a standby's relay log before it is acknowledged, so a standby that takes over first
//! applies what it has received. One that is restarted throws its relay log away and fetches it again; until it is level with the
//! primary once more it may not take over ([`Levels`]). A former primary may hold what nobody acknowledged; where the others have
//! gone on without that it can follow nobody, and gets a copy of the primary's data ([`crate::seed`]).

use std::time::Duration;

use rookery_store::{Global, Read, Table, Transaction};
use rookery_supervisor::State;
use tokio::time::{sleep, timeout};

use crate::MariaDb;
use crate::cluster::{NO_NODE, process};
use crate::error::Error;
use crate::instances::{InstanceRow, Node};
use crate::sql::{self, Connection};

/// Who standbys follow as.
pub(crate) const REPLICA: &str = "rookery_replica";
/// From where they do.
pub(crate) const REPLICA_HOST: &str = "127.%";
/// How long a standby may take to catch up before it becomes the primary.
pub(crate) const CATCH_UP: Duration = Duration::from_mins(1);
/// How long a standby may take to connect.
pub(crate) const FOLLOW_WITHIN: Duration = Duration::from_secs(15);
/// How long the primary waits for a standby in mode 2, before it goes on alone, and in mode 1, which is for ever: ten years.
const DEGRADE_AFTER: u64 = 10_000;
const NEVER_DEGRADE: u64 = 315_360_000_000;
/// What a primary says whose log does not have what is asked for.
const NOT_IN_THE_LOG: &str = "1236";

/// The processes of standbys that were seen to have everything that their primary had, by instance. It outlives Rookery, so that a
/// primary that is gone when Rookery comes back has an heir.
pub(crate) struct Levels;

impl Table for Levels {
    const NAME: &'static str = "mariadb.levels";
    type Scope = Global;
    type Key = String;
    type Row = Vec<(String, u32)>;
}

/// Forgets what is known of the standbys of an instance that is gone.
pub(crate) fn forget_instance(tx: &mut Transaction<'_>, instance: &str) -> Result<(), Error> {
    tx.delete::<Levels>(&Global, &instance.to_owned())?;
    Ok(())
}

/// What came of arranging the servers: the standbys that do not follow.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arranged {
    /// They did not connect in time; it is tried again.
    pub(crate) late: Vec<usize>,
    /// They hold what the primary does not have, or lack what it no longer has.
    pub(crate) strayed: Vec<usize>,
}

/// What came of telling a server whom to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Following {
    Yes,
    Late,
    Strayed,
}

/// Whom to follow.
#[derive(Clone, Debug)]
pub(crate) struct Leader {
    pub(crate) node: Node,
    pub(crate) password: String,
    /// Whether the leader is to wait for this follower.
    pub(crate) waits: bool,
}

impl MariaDb {
    /// Makes the primary writable and the others follow it, in the instance's mode. Where it is so already, nothing changes. The
    /// primary of an instance for disaster recovery follows the instance that it is for.
    pub(crate) async fn arrange(&self, id: &str, row: &InstanceRow) -> Result<Arranged, Error> {
        let password = self.replication_password(id, row)?;
        let (upstream, recovers) = (self.upstream(row)?, row.follows.is_some());
        let node = row.primary_node()?.clone();
        let mut primary = self.connect(id, &node).await?;
        let goes_on = match &upstream {
            Some(leader) => follows(&mut primary, leader).await?,
            None => false,
        };
        if !recovers {
            apply_received(&mut primary).await?;
        }
        if !goes_on {
            stand_alone(&mut primary).await?;
        }
        if row.nodes.len() > 1 {
            allow_replica(&mut primary, &password).await?;
        }
        let waits = row.sync_mode != 0 && !recovers;
        let leader = Leader { node, password, waits };
        let (mut arranged, mut followed) = (Arranged::default(), false);
        for (at, node) in row.standbys() {
            // One that is down is arranged when it is back.
            if !self.is_ready(id, node) {
                continue;
            }
            let mut standby = self.connect(id, node).await?;
            allow_replica(&mut standby, &leader.password).await?;
            match follow(&mut standby, &leader, Some(&mut primary), FOLLOW_WITHIN).await? {
                Following::Yes => followed = true,
                Following::Late => arranged.late.push(at),
                Following::Strayed => arranged.strayed.push(at),
            }
        }
        // Only now: a primary that waits for standbys while there are none holds up its first commit.
        let patience = if row.sync_mode == 1 { NEVER_DEGRADE } else { DEGRADE_AFTER };
        primary.run(&format!("SET GLOBAL rpl_semi_sync_master_timeout = {patience}")).await?;
        if followed || row.sync_mode == 1 {
            primary.run("SET GLOBAL rpl_semi_sync_master_wait_no_slave = ON").await?;
        }
        let waiting = if waits && row.nodes.len() > 1 { "ON" } else { "OFF" };
        primary.run(&format!("SET GLOBAL rpl_semi_sync_master_enabled = {waiting}")).await?;
        match (upstream, &row.follows) {
            (_, None) => primary.run("SET GLOBAL read_only = OFF").await?,
            (Some(leader), Some(source)) => self.follow_source(&mut primary, source, &leader).await?,
            (None, Some(_)) => {}
        }
        Ok(arranged)
    }

    /// Makes a standby the primary in place of one that does not come back, which is stopped: it may be alive for others.
    pub(crate) async fn take_over_from(&self, id: &str, row: &InstanceRow, to: usize) -> Result<(), Error> {
        if let Some(former) = row.nodes.get(row.primary).filter(|_| row.primary != to) {
            self.supervisor.stop(&process(id, former)).await;
        }
        let turned = InstanceRow { primary: to, ..row.clone() };
        self.start_node(id, &turned, to).await?;
        self.arrange(id, &turned).await?;
        if turned.sync_mode == 2 && turned.nodes.len() == 2 {
            // There is no standby to wait for, which this mode does not insist on; arranging the next one turns it on again.
            let mut primary = self.primary(id, &turned).await?;
            primary.run("SET GLOBAL rpl_semi_sync_master_wait_no_slave = OFF").await?;
        }
        self.open_door(id, &turned).await
    }

    /// Makes another node the primary: writes stop, it catches up, they go on there.
    pub(crate) async fn switch(&self, id: &str, row: &InstanceRow, to: usize) -> Result<(), Error> {
        let target = row.nodes.get(to).ok_or(NO_NODE)?;
        let mut next = self.connect(id, target).await?;
        if to != row.primary {
            let mut former = self.primary(id, row).await?;
            former.run("SET GLOBAL read_only = ON").await?;
            former.run("SET GLOBAL rpl_semi_sync_master_enabled = OFF").await?;
            // One for disaster recovery goes on behind another instance.
            former.run("STOP SLAVE").await?;
            let reached = position(&mut former, "gtid_binlog_pos").await?;
            if !has_reached(&mut next, &reached, CATCH_UP).await? {
                return Err(Error::Inconsistent("the standby did not catch up"));
            }
        }
        let mut turned = row.clone();
        turned.primary = to;
        self.arrange(id, &turned).await?;
        self.note_level(id, &turned).await?;
        self.open_door(id, &turned).await
    }

    /// The standby that is to take over from a primary that does not answer: of those that were level with it and have followed it
    /// since, the one that has received most.
    pub(crate) async fn heir(&self, id: &str, row: &InstanceRow) -> Result<Option<usize>, Error> {
        let level = self.store.read(|view| view.get::<Levels>(&Global, id))?.unwrap_or_default();
        let mut best = None;
        for (at, node) in row.standbys() {
            let State::Ready { pid } = self.supervisor.state(&process(id, node)) else { continue };
            if !level.contains(&(node.id.clone(), pid)) {
                continue;
            }
            let Ok(mut standby) = self.connect(id, node).await else { continue };
            let Ok(status) = standby.query("SHOW SLAVE STATUS").await else { continue };
            // The number of a process may have been another's before the machine was restarted; that one does not follow yet.
            if status.first("Slave_SQL_Running") != "Yes" {
                continue;
            }
            let received = sequence(&status.first("Gtid_IO_Pos"));
            best = best.max(Some((received, std::cmp::Reverse(at))));
        }
        Ok(best.map(|(_, at)| at.0))
    }

    /// Notes which standbys have everything that the primary has; whether all do.
    pub(crate) async fn note_level(&self, id: &str, row: &InstanceRow) -> Result<bool, Error> {
        let reached = position(&mut self.primary(id, row).await?, "gtid_binlog_pos").await?;
        let mut level = Vec::new();
        for node in row.standbys().map(|(_, node)| node) {
            let State::Ready { pid } = self.supervisor.state(&process(id, node)) else { continue };
            let mut standby = self.connect(id, node).await?;
            if has_reached(&mut standby, &reached, Duration::from_secs(1)).await? {
                level.push((node.id.clone(), pid));
            }
        }
        let all = level.len() + 1 == row.nodes.len();
        let id = id.to_owned();
        if self.store.read(|view| view.get::<Levels>(&Global, &id))?.as_ref() != Some(&level) {
            self.store.write(move |tx| tx.put::<Levels>(&Global, &id, &level)).await?;
        }
        Ok(all)
    }

    /// Whether a server receives what another one writes.
    pub(crate) async fn receives(&self, id: &str, node: &Node) -> Result<bool, Error> {
        let status = self.connect(id, node).await?.query("SHOW SLAVE STATUS").await?;
        Ok(status.first("Slave_IO_Running") == "Yes")
    }

    /// Whether the standbys that are up receive and apply, or are about to.
    pub(crate) async fn standbys_follow(&self, id: &str, row: &InstanceRow) -> Result<bool, Error> {
        for (_, node) in row.standbys() {
            if !self.is_ready(id, node) {
                continue;
            }
            let status = self.connect(id, node).await?.query("SHOW SLAVE STATUS").await?;
            if status.first("Slave_IO_Running") == "No" || status.first("Slave_SQL_Running") != "Yes" {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The number of the last transaction of a position such as `0-1-42`. All servers write in one domain.
fn sequence(position: &str) -> u64 {
    position.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Whether somebody at `position` has what a server whose log ends at `end` does not have. The server itself says so only where its log
/// goes on beyond that; otherwise it would leave out what it writes next, up to that number.
fn is_ahead(position: &str, end: &str) -> bool {
    let (own, last) = (sequence(position), sequence(end));
    own > last || (own == last && own != 0 && position != end)
}

pub(crate) async fn position(server: &mut Connection, variable: &str) -> Result<String, Error> {
    Ok(server.query(&format!("SELECT @@GLOBAL.{variable} AS position")).await?.first("position"))
}

/// Whether a standby has applied everything up to a position, or does so in time.
pub(crate) async fn has_reached(
    standby: &mut Connection,
    position: &str,
    within: Duration,
) -> Result<bool, Error> {
    let wait = format!("SELECT MASTER_GTID_WAIT({}, {}) AS late", sql::text(position), within.as_secs());
    Ok(standby.query(&wait).await?.first("late") == "0")
}

/// What a follower has received was acknowledged by it, so it is applied before the follower becomes a primary.
pub(crate) async fn apply_received(server: &mut Connection) -> Result<(), Error> {
    if server.query("SHOW SLAVE STATUS").await?.first("Slave_SQL_Running") != "Yes" {
        return Ok(());
    }
    server.run("STOP SLAVE IO_THREAD").await?;
    let received = server.query("SHOW SLAVE STATUS").await?.first("Gtid_IO_Pos");
    if has_reached(server, &received, CATCH_UP).await? {
        return Ok(());
    }
    Err(Error::Inconsistent("what a standby has received could not be applied"))
}

async fn stand_alone(server: &mut Connection) -> Result<(), Error> {
    server.run("STOP SLAVE").await?;
    Ok(server.run("RESET SLAVE ALL").await?)
}

/// Lets standbys log in. Told to each server by itself, so that their histories stay alike.
///
/// What is so already is not told again: while a backup waits for a commit, and that for a standby, changes of accounts wait for the
/// backup, and the standby would not be led back for ever.
pub(crate) async fn allow_replica(server: &mut Connection, password: &str) -> Result<(), Error> {
    let (who, password) = (sql::account(REPLICA, REPLICA_HOST), sql::text(password));
    let (user, host) = (sql::text(REPLICA), sql::text(REPLICA_HOST));
    let allowed = format!(
        "SELECT Repl_slave_priv AS allowed FROM mysql.user \
         WHERE User = {user} AND Host = {host} AND authentication_string = PASSWORD({password})"
    );
    if server.query(&allowed).await?.first("allowed") == "Y" {
        return Ok(());
    }
    server.run("SET SESSION sql_log_bin = 0").await?;
    server.run(&format!("CREATE USER IF NOT EXISTS {who} IDENTIFIED BY {password}")).await?;
    // A copy of another instance's data has that one's password.
    server.run(&format!("ALTER USER {who} IDENTIFIED BY {password}")).await?;
    server.run(&format!("GRANT REPLICATION SLAVE ON *.* TO {who}")).await?;
    Ok(server.run("SET SESSION sql_log_bin = 1").await?)
}

/// Whether a server follows the leader already, in the same way.
pub(crate) async fn follows(server: &mut Connection, leader: &Leader) -> Result<bool, Error> {
    let status = server.query("SHOW SLAVE STATUS").await?;
    let semi = server.query("SELECT @@GLOBAL.rpl_semi_sync_slave_enabled AS semi").await?.first("semi");
    let address = leader.node.address;
    Ok(status.first("Master_Host") == address.ip().to_string()
        && status.first("Master_Port") == address.port().to_string()
        && status.first("Slave_IO_Running") == "Yes"
        && status.first("Slave_SQL_Running") == "Yes"
        && semi == u8::from(leader.waits).to_string())
}

/// Makes a server follow another, and waits until it is connected. Where the other one can be asked `at` the moment, one that has what
/// it does not have does not follow it.
pub(crate) async fn follow(
    server: &mut Connection,
    leader: &Leader,
    at: Option<&mut Connection>,
    within: Duration,
) -> Result<Following, Error> {
    server.run("SET GLOBAL read_only = ON").await?;
    server.run("SET GLOBAL rpl_semi_sync_master_enabled = OFF").await?;
    if follows(server, leader).await? {
        return Ok(Following::Yes);
    }
    let semi = if leader.waits { "ON" } else { "OFF" };
    server.run(&format!("SET GLOBAL rpl_semi_sync_slave_enabled = {semi}")).await?;
    server.run("STOP SLAVE").await?;
    // A former primary has written itself; what it wrote is where it goes on from.
    let current = position(server, "gtid_current_pos").await?;
    if let Some(leader) = at {
        let end = position(leader, "gtid_binlog_pos").await?;
        if is_ahead(&current, &end) {
            tracing::warn!(current, end, "a server has what the one that it is to follow does not have");
            return Ok(Following::Strayed);
        }
    }
    server.run(&format!("SET GLOBAL gtid_slave_pos = {}", sql::text(&current))).await?;
    let (host, port) = (leader.node.address.ip(), leader.node.address.port());
    let (who, password) = (sql::text(REPLICA), sql::text(&leader.password));
    server
        .run(&format!(
            "CHANGE MASTER TO MASTER_HOST = '{host}', MASTER_PORT = {port}, MASTER_USER = {who}, \
             MASTER_PASSWORD = {password}, MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = slave_pos"
        ))
        .await?;
    server.run("START SLAVE").await?;
    let connected = timeout(within, async {
        loop {
            let status = server.query("SHOW SLAVE STATUS").await?;
            let (receives, applies) = (status.first("Slave_IO_Running"), status.first("Slave_SQL_Running"));
            if receives == "Yes" && applies == "Yes" {
                return Ok::<_, Error>(Following::Yes);
            }
            if status.first("Last_IO_Errno") == NOT_IN_THE_LOG
                || (applies == "No" && !matches!(status.first("Last_SQL_Errno").as_str(), "" | "0"))
            {
                tracing::warn!(
                    receiving = status.first("Last_IO_Error"),
                    applying = status.first("Last_SQL_Error"),
                    "a server cannot follow another"
                );
                return Ok(Following::Strayed);
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    connected.await.unwrap_or(Ok(Following::Late))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_of_a_position_is_its_sequence() {
        assert_eq!(sequence("0-4005-42"), 42);
        assert_eq!(sequence(""), 0);
    }

    #[test]
    fn who_has_more_or_something_else_is_ahead() {
        for (position, end, ahead) in [
            ("0-1-42", "0-1-42", false),
            ("0-1-41", "0-2-42", false),
            ("", "0-1-1", false),
            ("", "", false),
            ("0-1-43", "0-1-42", true),
            ("0-1-42", "0-2-42", true),
            ("0-1-1", "", true),
        ] {
            assert_eq!(is_ahead(position, end), ahead, "{position} {end}");
        }
    }
}
