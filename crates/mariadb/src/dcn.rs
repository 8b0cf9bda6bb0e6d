//! Instances for disaster recovery: whole instances that follow another one of the account, of this region or another, and are read.
//!
//! Their primary follows the primary of the instance that they are for, by GTID and without being waited for. It begins with a copy
//! of its data, accounts included, so these are the source's until the replication is cancelled.

use std::time::Duration;

use rookery_api::mariadb::{DCNReplicaConfig, DCNReplicaStatus, ErrorCode};
use rookery_store::{Read, Regional, Transaction};

use crate::MariaDb;
use crate::accounts;
use crate::error::Error;
use crate::instances::{self, ById, InstanceRow, Instances, Phase, Place};
use crate::replication::{self, Following, Leader};
use crate::sql::Connection;

/// `DcnFlag`; 0 is none.
const SOURCE: i64 = 1;
const RECOVERY: i64 = 2;
/// `DcnStatus`; 0 is none.
const CREATING: i64 = 1;
const SYNCING: i64 = 2;
const BROKEN: i64 = 3;

/// An instance with its id, and where it is.
pub(crate) type Instance = (Regional, String, InstanceRow);

/// What an instance is in a disaster recovery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) flag: i64,
    pub(crate) status: i64,
    /// How many follow it.
    pub(crate) followers: i64,
    /// How many seconds one for disaster recovery is behind; `None` where that is not known.
    pub(crate) delay: Option<i64>,
}

impl Part {
    /// Whether it follows, and how far behind; `None` for a source.
    pub(crate) fn replica(self) -> Option<(DCNReplicaConfig, DCNReplicaStatus)> {
        let running = if self.status == SYNCING { "START" } else { "STOP" }.to_owned();
        let config = DCNReplicaConfig {
            ro_replication_mode: "START".to_owned(),
            delay_replication_type: "DEFAULT".to_owned(),
            due_time: crate::moments::NEVER.to_owned(),
            replication_delay: 0,
        };
        let status = DCNReplicaStatus { status: running, delay: self.delay.unwrap_or(-1) };
        (self.flag == RECOVERY).then_some((config, status))
    }

    pub(crate) fn words(self) -> &'static str {
        match self.status {
            CREATING => "creating",
            SYNCING => "syncing",
            BROKEN => "broken",
            _ => "none",
        }
    }
}

impl InstanceRow {
    /// `InstanceType`: an instance of its own, or one for disaster recovery. Those on dedicated clusters, 1 and 4, are not made here.
    pub(crate) fn kind(&self) -> i64 {
        if self.follows.is_some() { 3 } else { 2 }
    }

    fn is_behind(&self, id: &str) -> bool {
        self.follows.as_ref().is_some_and(|source| source.id == id)
    }

    /// Refuses what would write on an instance that follows another.
    pub(crate) fn its_own(&self, id: &str) -> Result<(), Error> {
        match &self.follows {
            None => Ok(()),
            Some(source) => Err(Error::refuse(
                ErrorCode::UnsupportedOperationOperationNotApplicable,
                format!(
                    "The instance `{id}` is for disaster recovery: change `{}`, which it follows.",
                    source.id
                ),
                format!("灾备实例 `{id}` 不支持该操作，请在主实例 `{}` 上操作。", source.id),
            )),
        }
    }

    /// The id under which its accounts are kept: they are those of the instance that it follows.
    pub(crate) fn keeper_of_accounts<'i>(&'i self, id: &'i str) -> &'i str {
        self.follows.as_ref().map_or(id, |source| &source.id)
    }
}

impl MariaDb {
    /// The instance that a new one is to follow, if it can be followed.
    pub(crate) fn source_for(
        &self,
        scope: &Regional,
        region: Option<&str>,
        id: Option<&str>,
    ) -> Result<Option<(Place, InstanceRow)>, Error> {
        let region = region.map(str::trim).filter(|region| !region.is_empty());
        let Some(id) = id.map(instances::clean).filter(|id| !id.is_empty()) else {
            return match region {
                None => Ok(None),
                Some(_) => Err(Error::invalid("DcnRegion", "goes together with `DcnInstanceId`")),
            };
        };
        // Without it a server that is in use cannot be copied.
        self.copier()?;
        let region = region.unwrap_or(&scope.region).to_owned();
        let there = Regional { uin: scope.uin, region: region.clone() };
        let row = self.store.read(|view| instances::usable(view, &there, id))?;
        row.its_own(id)?;
        if row.security.encrypts() {
            return Err(Error::unsupported("disaster recovery of an instance that is encrypted at rest"));
        }
        Ok(Some((Place { region, id: id.to_owned() }, row)))
    }

    /// Whom the primary of an instance for disaster recovery follows; `None` for any other.
    pub(crate) fn upstream(&self, row: &InstanceRow) -> Result<Option<Leader>, Error> {
        let Some(place) = &row.follows else { return Ok(None) };
        let Some(source) = self.row_of(place)? else { return Ok(None) };
        let node = source.primary_node()?.clone();
        Ok(Some(Leader { node, password: self.replication_password(&place.id, &source)?, waits: false }))
    }

    fn row_of(&self, place: &Place) -> Result<Option<InstanceRow>, Error> {
        Ok(self.store.read(|view| view.find::<ById>(&place.id))?.map(|(_, _, row)| row))
    }

    /// Has the primary of an instance follow another instance. Where that one is down it goes on trying by itself.
    pub(crate) async fn follow_source(
        &self,
        primary: &mut Connection,
        source: &Place,
        leader: &Leader,
    ) -> Result<(), Error> {
        let (mut at, mut patience) = (None, Duration::ZERO);
        if self.is_ready(&source.id, &leader.node) {
            let mut there = self.connect(&source.id, &leader.node).await?;
            replication::allow_replica(&mut there, &leader.password).await?;
            (at, patience) = (Some(there), replication::FOLLOW_WITHIN);
        }
        if replication::follow(primary, leader, at.as_mut(), patience).await? != Following::Yes {
            tracing::warn!(
                source = source.id,
                "an instance for disaster recovery does not follow its source"
            );
        }
        Ok(())
    }

    /// Gives the nodes of a new instance for disaster recovery the data of the instance that they are to follow.
    pub(crate) async fn copy_source(&self, id: &str, row: &InstanceRow, source: &Place) -> Result<(), Error> {
        let there = self.row_of(source)?.ok_or_else(|| Error::no_instance(&source.id))?;
        there.usable(&source.id)?;
        let first = row.primary_node()?;
        self.copy_of((&source.id, there.primary_node()?), id, first).await?;
        let others = row.nodes.iter().filter(|node| *node != first).cloned().collect();
        self.multiply(id, first, others).await
    }

    /// What an instance is in a disaster recovery, by the rows of its account.
    pub(crate) async fn part(&self, of_account: &[Instance], id: &str, row: &InstanceRow) -> Part {
        if row.follows.is_some() {
            let (status, delay) = self.progress(id, row).await;
            return Part { flag: RECOVERY, status, followers: 0, delay };
        }
        let mut part = Part::default();
        for (_, follower, row) in of_account.iter().filter(|(_, _, other)| other.is_behind(id)) {
            let (status, _) = self.progress(follower, row).await;
            part.flag = SOURCE;
            part.followers += 1;
            part.status = match (part.status, status) {
                (BROKEN, _) | (_, BROKEN) => BROKEN,
                (CREATING, _) | (_, CREATING) => CREATING,
                _ => SYNCING,
            };
        }
        part
    }

    /// `DcnStatus` of an instance that follows another, and its delay, as its primary says.
    async fn progress(&self, id: &str, row: &InstanceRow) -> (i64, Option<i64>) {
        match row.phase {
            Phase::Creating | Phase::Uninitialised | Phase::Initialising => return (CREATING, None),
            Phase::Isolating | Phase::Isolated | Phase::Deleting => return (BROKEN, None),
            Phase::Running | Phase::Restarting => {}
        }
        let asked =
            async { self.primary(id, row).await?.query("SHOW SLAVE STATUS").await.map_err(Error::from) };
        let Ok(status) = asked.await else { return (BROKEN, None) };
        let runs = |thread| status.first(thread) == "Yes";
        if runs("Slave_IO_Running") && runs("Slave_SQL_Running") {
            (SYNCING, status.first("Seconds_Behind_Master").parse().ok())
        } else {
            (BROKEN, None)
        }
    }

    /// The rows of an account, in every region.
    pub(crate) fn of_account(&self, uin: u64) -> Result<Vec<Instance>, Error> {
        Ok(self.store.read(|view| view.scan_account::<Instances>(uin))?)
    }
}

/// Refuses to destroy an instance that others follow.
pub(crate) fn unfollowed(read: &impl Read, uin: u64, id: &str) -> Result<(), Error> {
    let rows = read.scan_account::<Instances>(uin)?;
    let Some((_, follower, _)) = rows.iter().find(|(_, _, row)| row.is_behind(id)) else { return Ok(()) };
    Err(Error::refuse(
        ErrorCode::FailedOperationInstanceCanNotReturn,
        format!("The instance `{follower}` follows `{id}`; end that with CancelDcnJob first."),
        format!("灾备实例 `{follower}` 正在同步 `{id}`，请先调用 CancelDcnJob 取消同步。"),
    ))
}

/// Gives an instance that is on its own from now on the accounts that its data have.
pub(crate) fn inherit_accounts(tx: &mut Transaction<'_>, from: &str, to: &str) -> Result<(), Error> {
    for account in accounts::list(tx, from)? {
        accounts::put(tx, to, &account)?;
    }
    Ok(())
}
