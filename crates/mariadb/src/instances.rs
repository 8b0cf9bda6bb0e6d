//! Instances: their rows, the states they are in, and how a request finds one.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use rookery_api::mariadb::{NodeInfo, ResourceTag};
use rookery_gateway::{Call, Resource};
use rookery_seal::Sealed;
use rookery_store::{ErasedIndex, Index, Read, Regional, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::moments::Moment;
use crate::network::Network;
use crate::security::Security;

/// Every instance, by id.
pub(crate) struct Instances;

/// What an instance is, apart from a flow that may be changing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    Creating,
    Uninitialised,
    Initialising,
    Running,
    Restarting,
    Deleting,
    /// On the way to be isolated. Clients that wait for that take any status but 2 before -1 for a failure.
    Isolating,
    Isolated,
}

impl Phase {
    /// `Status` and `StatusDesc`; a running instance that a flow holds is 1.
    pub(crate) fn status(self, flow: u64) -> (i64, &'static str) {
        match self {
            Self::Creating => (0, "creating"),
            Self::Running if flow != 0 => (1, "processing"),
            Self::Running => (2, "running"),
            Self::Uninitialised => (3, "uninitialized"),
            Self::Initialising => (4, "initializing"),
            Self::Deleting => (5, "deleting"),
            Self::Isolating => (2, "isolating"),
            Self::Restarting => (6, "restarting"),
            Self::Isolated => (-1, "isolated"),
        }
    }
}

/// What is kept of an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InstanceRow {
    /// `Id`: counted over the whole cloud.
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) phase: Phase,
    /// The flow that holds it; 0 for none.
    pub(crate) flow: u64,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
    /// `None` for an instance that is paid by use.
    pub(crate) prepaid: Option<Prepaid>,
    pub(crate) project: i64,
    pub(crate) vpc: String,
    pub(crate) subnet: String,
    /// The zone of the first node, then those of the others.
    pub(crate) zones: Vec<String>,
    /// Gigabytes, as ordered.
    pub(crate) memory: i64,
    pub(crate) storage: i64,
    /// The version as it was asked for.
    pub(crate) version: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) security_groups: Vec<String>,
    /// `None` until it is initialised, or is on the way to it.
    pub(crate) initial: Option<Initial>,
    pub(crate) protected: bool,
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    pub(crate) nodes: Vec<Node>,
    /// Which of the nodes is written to.
    pub(crate) primary: usize,
    pub(crate) sync_mode: i64,
    /// What `ModifyDBParameters` set.
    pub(crate) parameters: BTreeMap<String, String>,
    /// How many days logs are kept.
    pub(crate) log_days: u64,
    /// The password with which standbys follow.
    pub(crate) replication: Sealed,
    /// Whom an instance for disaster recovery follows.
    #[serde(default)]
    pub(crate) follows: Option<Place>,
    #[serde(default)]
    pub(crate) security: Security,
    #[serde(default)]
    pub(crate) network: Network,
    /// Whose state of which moment it began with; `None` for one that began empty.
    #[serde(default)]
    pub(crate) origin: Option<Origin>,
}

/// Where an instance of the same account is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) id: String,
}

/// The moment of another instance that an instance begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) source: String,
    pub(crate) moment: Moment,
    /// When a temporary instance ends; `None` for one that stays.
    pub(crate) until: Option<Moment>,
}

/// A prepaid instance's time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Prepaid {
    pub(crate) until: Moment,
    pub(crate) renew: bool,
}

/// What an instance is initialised with, once and for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Initial {
    pub(crate) charset: String,
    pub(crate) lower_case: bool,
    pub(crate) page_size: u32,
    pub(crate) sync_mode: i64,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Node {
    /// Twelve hexadecimal digits.
    pub(crate) id: String,
    pub(crate) server_id: u32,
    pub(crate) address: SocketAddr,
    pub(crate) zone: String,
}

impl Table for Instances {
    const NAME: &'static str = "mariadb.instances";
    type Scope = Regional;
    type Key = String;
    type Row = InstanceRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ById];
}

/// Ids are unique over all accounts and regions: they are names of directories and processes.
pub(crate) struct ById;

impl Index for ById {
    type Table = Instances;
    type Value = String;
    const NAME: &'static str = "id";
    const UNIQUE: bool = true;

    fn value(_: &Regional, id: &String, _: &InstanceRow) -> Option<String> {
        Some(id.clone())
    }
}

impl InstanceRow {
    pub(crate) fn primary_node(&self) -> Result<&Node, Error> {
        self.nodes.get(self.primary).ok_or(Error::Inconsistent("the primary is not among the nodes"))
    }

    /// The others, each with its number.
    pub(crate) fn standbys(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|(at, _)| *at != self.primary)
    }

    pub(crate) fn node_count(&self) -> i64 {
        i64::try_from(self.nodes.len()).unwrap_or_default()
    }

    /// The end of a temporary instance; `None` for any other.
    pub(crate) fn temporary_until(&self) -> Option<Moment> {
        self.origin.as_ref()?.until
    }

    /// When it ends by itself, or has to be paid again.
    pub(crate) fn ends(&self) -> Option<Moment> {
        self.prepaid.map(|prepaid| prepaid.until).or(self.temporary_until())
    }

    /// The node of that id; the primary where none is named.
    pub(crate) fn node_named(&self, id: Option<&str>) -> Result<&Node, Error> {
        match id.map(str::trim).filter(|id| !id.is_empty()) {
            None => self.primary_node(),
            Some(id) => self
                .nodes
                .iter()
                .find(|node| node.id == id)
                .ok_or_else(|| Error::invalid("NodeId", "names no node of the instance")),
        }
    }

    /// Refuses one that a flow holds, or that is isolated.
    pub(crate) fn unlocked(&self, id: &str) -> Result<(), Error> {
        match (self.flow, self.phase) {
            (0, Phase::Isolated) => Err(Error::state(id, Phase::Isolated.status(0).1)),
            (0, _) => Ok(()),
            (flow, _) => Err(Error::locked(id, flow)),
        }
    }

    /// `Paymode`.
    pub(crate) fn pay_mode(&self) -> &'static str {
        if self.is_prepaid() { "prepaid" } else { "postpaid" }
    }

    pub(crate) fn is_prepaid(&self) -> bool {
        self.prepaid.is_some()
    }

    pub(crate) fn nodes_info(&self) -> Vec<NodeInfo> {
        let role = |at: usize| if at == self.primary { "master" } else { "slave" };
        self.nodes
            .iter()
            .enumerate()
            .map(|(at, node)| NodeInfo {
                node_id: node.id.clone(),
                role: role(at).to_owned(),
                zone: node.zone.clone(),
            })
            .collect()
    }

    pub(crate) fn resource_tags(&self) -> Vec<ResourceTag> {
        let tag =
            |(key, value): &(String, String)| ResourceTag { tag_key: key.clone(), tag_value: value.clone() };
        self.tags.iter().map(tag).collect()
    }

    /// Refuses one that does not run, or that a flow holds.
    pub(crate) fn usable(&self, id: &str) -> Result<(), Error> {
        if self.flow != 0 {
            return Err(Error::locked(id, self.flow));
        }
        match self.phase {
            Phase::Running => Ok(()),
            other => Err(Error::state(id, other.status(0).1)),
        }
    }
}

/// Where the call's rows are: its account and its region.
pub(crate) fn scope<R>(call: &Call<R>) -> Regional {
    Regional { uin: call.caller.account.uin, region: call.region.clone() }
}

/// Ids of examples carry stray line ends, which are not meant.
pub(crate) fn clean(id: &str) -> &str {
    id.trim()
}

/// The caller's instance of that id in the call's region.
pub(crate) fn existing(read: &impl Read, scope: &Regional, id: &str) -> Result<InstanceRow, Error> {
    read.get::<Instances>(scope, id)?.ok_or_else(|| Error::no_instance(id))
}

/// As [`existing`], and it runs with no flow on it.
pub(crate) fn usable(read: &impl Read, scope: &Regional, id: &str) -> Result<InstanceRow, Error> {
    let row = existing(read, scope, id)?;
    row.usable(id)?;
    Ok(row)
}

/// Writes a row back, changed at `now`.
pub(crate) fn put(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    id: &str,
    mut row: InstanceRow,
    now: Moment,
) -> Result<(), Error> {
    row.updated = now;
    Ok(tx.put::<Instances>(scope, &id.to_owned(), &row)?)
}

/// As [`usable`], and what is in it is its own, and no copy of another instance.
pub(crate) fn writable(read: &impl Read, scope: &Regional, id: &str) -> Result<InstanceRow, Error> {
    let row = usable(read, scope, id)?;
    row.its_own(id)?;
    Ok(row)
}

pub(crate) fn resource(id: &str) -> Vec<Resource> {
    vec![Resource::named(format!("instance/{}", clean(id)))]
}

pub(crate) fn resources(ids: &[String]) -> Vec<Resource> {
    if ids.is_empty() { vec![Resource::any()] } else { ids.iter().flat_map(|id| resource(id)).collect() }
}

#[cfg(test)]
impl Initial {
    pub(crate) fn sample() -> Self {
        Self { charset: "utf8mb4".to_owned(), lower_case: true, page_size: 16384, sync_mode: 2 }
    }
}

#[cfg(test)]
impl InstanceRow {
    /// A running instance that is paid by use, for tests of what follows from a row.
    pub(crate) fn sample() -> Self {
        let address = SocketAddr::from(([127, 64, 0, 4], 3306));
        let node =
            Node { id: "0a1b2c3d4e5f".to_owned(), server_id: 1, address, zone: "ap-guangzhou-1".to_owned() };
        let seal = rookery_seal::Seal::ephemeral().unwrap();
        Self {
            number: 1001,
            name: "sample".to_owned(),
            phase: Phase::Running,
            flow: 0,
            created: Moment(0),
            updated: Moment(0),
            prepaid: None,
            project: 0,
            vpc: String::new(),
            subnet: String::new(),
            zones: vec![node.zone.clone()],
            memory: 2,
            storage: 20,
            version: "10.1".to_owned(),
            tags: Vec::new(),
            security_groups: Vec::new(),
            initial: None,
            protected: false,
            address,
            nodes: vec![node],
            primary: 0,
            sync_mode: 0,
            parameters: BTreeMap::new(),
            log_days: 7,
            replication: seal.seal("test", b"secret").unwrap(),
            follows: None,
            security: Security::default(),
            network: Network::default(),
            origin: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_running_instance_without_a_flow_is_usable() {
        let row = InstanceRow::sample();
        assert!(row.usable("i").is_ok() && row.unlocked("i").is_ok());
        let locked = InstanceRow { flow: 7, ..row.clone() };
        assert!(locked.usable("i").is_err() && locked.unlocked("i").is_err());
        assert_eq!(locked.phase.status(locked.flow).0, 1);
        let isolated = InstanceRow { phase: Phase::Isolated, ..row.clone() };
        assert!(isolated.usable("i").is_err() && isolated.unlocked("i").is_err());
        assert_eq!(row.node_named(None).unwrap(), row.node_named(Some(" 0a1b2c3d4e5f\n")).unwrap());
        assert!(row.node_named(Some("0")).is_err());
    }
}
