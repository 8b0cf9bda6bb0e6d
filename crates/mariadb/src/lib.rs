//! `TencentDB` for `MariaDB`: instances that are real `mariadbd` processes, each with an address of its own.
//!
//! [`MariaDb`] holds the product's rows and its servers, which a [`rookery_supervisor::Supervisor`] keeps. [`register`] hands the actions
//! to the gateway; [`MariaDb::run`] brings up what should run, finishes what a former process began, and stops the servers at the end.
//!
//! An instance is one address ([`door`]) before one, two or three servers ([`cluster`]): a primary and standbys that follow it by GTID.
//! What changes an instance is a flow ([`flows`]). Accounts, privileges, databases and parameters are the server's own.

mod accounts;
mod actions;
mod addresses;
mod backup;
mod catalogue;
mod certificates;
mod changes;
mod cluster;
mod dcn;
mod door;
mod encryption;
mod error;
mod flows;
mod instances;
mod mending;
mod moments;
mod network;
mod ordering;
mod orders;
mod parameters;
mod porter;
mod privileges;
mod replication;
mod security;
mod security_groups;
mod seed;
mod server;
mod slow_log;
mod sql;
mod steward;
mod tag_holder;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_gateway::tls::CertificateAuthority;
use rookery_seal::Seal;
use rookery_store::Store;
use rookery_supervisor::{Limits, Supervisor};
use rookery_world::World;
use tokio::task::JoinSet;

pub use actions::register;
pub use backup::files::{Denied, Download, FILES};
pub use door::handshake::Login;
pub use network::PublicAddress;
pub use security_groups::{Group, Rule, RuleError, SecurityGroups};

use crate::moments::Moment;
use crate::network::Doors;
use crate::server::{Installation, Places};

/// How the product is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where data directories, options files, logs and process records are kept; made when missing.
    pub directory: PathBuf,
    /// The one directory where the server's programs are looked for; otherwise the system's usual ones.
    pub programs: Option<PathBuf>,
    /// How many servers there may be in the whole cloud.
    pub servers: usize,
    /// How much memory they may have together, in bytes, by what each is set up to use.
    pub memory: u64,
    /// How often it is looked whether what should run does.
    pub pulse: Duration,
    /// What certifies instances; without it there is no TLS.
    pub authority: Option<Arc<CertificateAuthority>>,
    /// What knows security groups; without it every group lets everybody in.
    pub groups: Option<Arc<dyn SecurityGroups>>,
    /// Where public addresses are.
    pub public: PublicAddress,
}

impl Options {
    /// `mariadb/` of the data directory, 60 servers, half of the machine's memory, and a look every half second.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            directory: data.join("mariadb"),
            programs: None,
            servers: 60,
            memory: machine_memory() / 2,
            pulse: Duration::from_millis(500),
            authority: None,
            groups: None,
            public: PublicAddress::default(),
        }
    }
}

/// The servers that run on a data directory that no Rookery uses: one that was killed has left them. Their files change.
pub fn servers_left_running(data: &Path) -> io::Result<Vec<String>> {
    rookery_supervisor::left_running(&Places::processes_in(&Options::new(data).directory))
}

/// The machine's memory in bytes; 2 GB where it does not say.
fn machine_memory() -> u64 {
    let told = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    });
    told.map_or(2 << 30, |kilobytes| kilobytes << 10)
}

/// The product.
pub struct MariaDb {
    store: Store,
    seal: Seal,
    world: World,
    places: Arc<Places>,
    supervisor: Arc<Supervisor>,
    limits: Limits,
    doors: Mutex<HashMap<String, Doors>>,
    /// Until when the certificates hold that the servers of instances have.
    certified: Mutex<HashMap<String, Moment>>,
    authority: Option<Arc<CertificateAuthority>>,
    groups: Option<Arc<dyn SecurityGroups>>,
    public: PublicAddress,
    /// For those that stand at the doors.
    itself: Weak<Self>,
    installed: Mutex<Option<Installation>>,
    programs: Option<PathBuf>,
    /// One at a time works on the servers of an instance: a flow, or the steward.
    locks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Flows that are worked on.
    tasks: Mutex<JoinSet<()>>,
    pulse: Duration,
    backups: backup::Memory,
}

impl fmt::Debug for MariaDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MariaDb").field("places", &self.places).finish_non_exhaustive()
    }
}

impl MariaDb {
    /// The product over its rows in `store`. No server is started before [`MariaDb::run`].
    pub fn new(options: Options, store: Store, seal: Seal, world: World) -> io::Result<Arc<Self>> {
        let Options { directory, programs, servers, memory, pulse, authority, groups, public } = options;
        let places = Places::new(directory)?;
        let limits = Limits { processes: servers, memory };
        let supervisor = Arc::new(Supervisor::open(&places.processes(), limits)?);
        Ok(Arc::new_cyclic(|itself| Self {
            store,
            seal,
            world,
            supervisor,
            places: Arc::new(places),
            limits,
            doors: Mutex::default(),
            certified: Mutex::default(),
            authority,
            groups,
            public,
            itself: Weak::clone(itself),
            installed: Mutex::default(),
            programs,
            locks: Mutex::default(),
            tasks: Mutex::default(),
            pulse,
            backups: backup::Memory::default(),
        }))
    }

    /// What has to be held by whoever works on the servers of an instance.
    fn lock(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.locks.lock().entry(id.to_owned()).or_default())
    }

    fn now(&self) -> Moment {
        self.world.now().into()
    }
}

/// What the password of an instance's standbys is sealed for.
fn replication_context(id: &str) -> String {
    format!("mariadb/{id}/replication")
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal as _;
    use rookery_store::Regional;

    use super::*;
    use crate::ordering::Order;

    #[tokio::test]
    async fn without_the_server_nothing_can_be_ordered_and_everything_else_works() {
        let place = tempfile::tempdir().unwrap();
        let programs = place.path().join("programs");
        fs::create_dir(&programs).unwrap();
        let options = Options { programs: Some(programs), ..Options::new(place.path()) };
        let mariadb =
            MariaDb::new(options, Store::in_memory(), Seal::ephemeral().unwrap(), World::system()).unwrap();
        let scope = Regional { uin: 1, region: "ap-guangzhou".to_owned() };
        let refused = mariadb.order(scope, Order::default()).await.unwrap_err();
        assert_eq!(refused.code().name(), "ResourceInsufficient");
        assert!(refused.message(rookery_gateway::Language::English).contains(server::INSTALL));
        assert!(mariadb.version().is_empty());
    }
}
