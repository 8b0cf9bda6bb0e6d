//! The servers of an instance together: started and stopped. What makes one of them the primary is in [`crate::replication`].

use std::time::Duration;

use futures_util::future::join_all;
use rookery_supervisor::{StartError, State};
use tokio::time::timeout;

use crate::MariaDb;
use crate::error::Error;
use crate::instances::{InstanceRow, Node, Phase};
use crate::replication::Arranged;
use crate::server::{self, Installation};
use crate::sql::Connection;

/// How long standbys are waited for before the primary goes on without them.
const STANDBYS_WITHIN: Duration = Duration::from_secs(5);
pub(crate) const NO_NODE: Error = Error::Inconsistent("there is no such node");

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

    /// Starts the servers, arranges them and opens the address. Each of them has to start.
    pub(crate) async fn bring_up(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        self.mend(id, row).await?;
        for started in join_all(self.starts(id, row)?).await {
            started?;
        }
        // Those that are adopted may have a former certificate.
        self.recertify(id, row).await?;
        self.plant(id, row).await?;
        let Arranged { late, strayed } = self.arrange_or_mend(id, row).await?;
        for at in strayed {
            self.rebuild(id, row, at).await?;
        }
        if !late.is_empty() {
            return Err(Error::Inconsistent("a standby does not follow its primary"));
        }
        self.note_level(id, row).await?;
        self.open_door(id, row).await
    }

    /// As [`bring_up`](Self::bring_up), for an instance that is in use: standbys that do not start hold up nobody for long.
    pub(crate) async fn keep_up(&self, id: &str, row: &InstanceRow) -> Result<Arranged, Error> {
        self.mend(id, row).await?;
        let mut starts = self.starts(id, row)?;
        let primary = (row.primary < starts.len()).then(|| starts.remove(row.primary));
        let primary = primary.ok_or(Error::Inconsistent("the primary is not among the nodes"))?;
        let standbys = timeout(STANDBYS_WITHIN, join_all(starts));
        let (primary, standbys) = tokio::join!(primary, standbys);
        primary?;
        if standbys.is_err() {
            tracing::warn!(instance = id, "a standby is not up; the primary goes on without it");
        }
        self.recertify(id, row).await?;
        self.plant(id, row).await?;
        let arranged = self.arrange_or_mend(id, row).await?;
        self.open_door(id, row).await?;
        Ok(arranged)
    }

    /// The start of every server, or the adoption of what runs.
    fn starts<'s>(
        &'s self,
        id: &str,
        row: &InstanceRow,
    ) -> Result<Vec<impl Future<Output = Result<(), StartError>> + use<'s>>, Error> {
        let installed = self.installation()?;
        self.place_key(id, row)?;
        self.certify(id, row)?;
        let mut programs = Vec::new();
        for (at, node) in row.nodes.iter().enumerate() {
            programs.push((process(id, node), self.places.program(&installed, id, row, at)?));
        }
        let start = |(name, program): (String, _)| async move { self.supervisor.start(&name, program).await };
        Ok(programs.into_iter().map(start).collect())
    }

    /// Starts one server, or adopts it.
    pub(crate) async fn start_node(&self, id: &str, row: &InstanceRow, at: usize) -> Result<(), Error> {
        let node = row.nodes.get(at).ok_or(NO_NODE)?;
        let program = self.places.program(&self.installation()?, id, row, at)?;
        Ok(self.supervisor.start(&process(id, node), program).await?)
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
        let phase = match row.phase {
            Phase::Running if row.flow == 0 && !up => Phase::Restarting,
            // It was isolated before, and clients that wait for its end take anything else for a failure.
            Phase::Deleting if row.is_prepaid() => Phase::Isolated,
            phase => phase,
        };
        phase.status(row.flow)
    }

    pub(crate) fn is_ready(&self, id: &str, node: &Node) -> bool {
        matches!(self.supervisor.state(&process(id, node)), State::Ready { .. })
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

    pub(crate) fn replication_password(&self, id: &str, row: &InstanceRow) -> Result<String, Error> {
        let open = self.seal.open(&crate::replication_context(id), &row.replication)?;
        Ok(String::from_utf8_lossy(&open).into_owned())
    }
}
