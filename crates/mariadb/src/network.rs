//! Where an instance can be reached: its own address, former ones for as long as they were to be kept, and a public one.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use rookery_api::mariadb::{ErrorCode, ReservedNetResource};
use rookery_store::{Read, Regional};
use serde::{Deserialize, Serialize};
use time::Duration as Span;

use crate::MariaDb;
use crate::addresses;
use crate::door::Door;
use crate::error::Error;
use crate::instances::{self, InstanceRow, Instances};
use crate::moments::Moment;
use crate::porter::Porter;

/// Ports below need a privilege, those above are given to connections that go out.
const PORTS: (u16, u16) = (10_000, 32_767);
const TRIES: usize = 64;
/// Hours for which a former address is kept where nothing is said, and at most.
const KEPT_HOURS: (i64, i64) = (24, 168);
/// How often it is tried again to open an address that could not be opened.
const AGAIN: Duration = Duration::from_secs(10);

/// Where public addresses are: on this machine only, unless somebody says otherwise.
#[derive(Clone, Debug)]
pub struct PublicAddress {
    /// The address that is listened on and told to clients.
    pub ip: IpAddr,
    /// The name that clients are told, where there is one.
    pub name: Option<String>,
}

impl Default for PublicAddress {
    fn default() -> Self {
        Self { ip: Ipv4Addr::LOCALHOST.into(), name: None }
    }
}

impl PublicAddress {
    pub(crate) fn name(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None if self.ip.is_loopback() => "localhost".to_owned(),
            None => self.ip.to_string(),
        }
    }
}

/// The flow of a public address that is what it is to be already. Terraform's provider takes 0 for no flow, and asks for the state
/// that is there whenever something beside it changes.
pub(crate) const NOTHING_TO_DO: i64 = 0;

/// Kept with an instance.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Network {
    pub(crate) reserved: Vec<Reserved>,
    /// `None` until it is opened for the first time.
    pub(crate) public: Option<Public>,
    /// Whether accounts that read are led to standbys in the instance's own zone first.
    pub(crate) nearest: bool,
}

/// A former address that still leads to the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reserved {
    pub(crate) vpc: String,
    pub(crate) subnet: String,
    pub(crate) address: SocketAddr,
    pub(crate) until: Moment,
}

/// The port of the public address, and whether it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Public {
    pub(crate) port: u16,
    pub(crate) state: PublicState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PublicState {
    Open,
    Closed,
    Opening,
    Closing,
}

/// `WanStatus` and its kin.
#[derive(Debug, Default)]
pub(crate) struct Wan {
    pub(crate) status: i64,
    pub(crate) domain: String,
    pub(crate) vip: String,
    pub(crate) port: i64,
}

impl Network {
    pub(crate) fn is_public(&self) -> bool {
        self.public.is_some_and(|public| public.state == PublicState::Open)
    }

    pub(crate) fn wan(&self, place: &PublicAddress) -> Wan {
        let Some(public) = self.public else { return Wan::default() };
        let status = match public.state {
            PublicState::Open => 1,
            PublicState::Closed => 2,
            PublicState::Opening => 3,
            PublicState::Closing => 4,
        };
        if public.state != PublicState::Open {
            return Wan { status, ..Wan::default() };
        }
        Wan { status, domain: place.name(), vip: place.ip.to_string(), port: i64::from(public.port) }
    }

    pub(crate) fn reserved_resources(&self) -> Vec<ReservedNetResource> {
        let each = |reserved: &Reserved| ReservedNetResource {
            vpc_id: reserved.vpc.clone(),
            subnet_id: reserved.subnet.clone(),
            vip: reserved.address.ip().to_string(),
            vports: vec![i64::from(reserved.address.port())],
            recycle_time: reserved.until.text(),
        };
        self.reserved.iter().map(each).collect()
    }
}

impl InstanceRow {
    /// Every address that is the instance's or one of its servers', on this machine only.
    pub(crate) fn loopback_addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let nodes = self.nodes.iter().map(|node| node.address);
        nodes.chain([self.address]).chain(self.network.reserved.iter().map(|reserved| reserved.address))
    }
}

/// The moment until which a former address is kept: `VipReleaseDelay` is in hours; 0 keeps it no longer.
pub(crate) fn kept_until(delay: Option<u64>, now: Moment) -> Result<Option<Moment>, Error> {
    match delay.map_or(Ok(KEPT_HOURS.0), i64::try_from) {
        Ok(0) => Ok(None),
        Ok(hours) if hours <= KEPT_HOURS.1 => Ok(Some(now.plus(Span::hours(hours)))),
        _ => Err(Error::invalid("VipReleaseDelay", "must be 0 to 168 hours")),
    }
}

/// Addresses of IPv6 are not given to instances.
pub(crate) fn no_ipv6(asked: bool) -> Result<(), Error> {
    if asked { Err(Error::unsupported("addresses of IPv6")) } else { Ok(()) }
}

/// An inner address that somebody chose: on this machine only.
pub(crate) fn chosen(vip: &str) -> Result<IpAddr, Error> {
    vip.trim().parse::<Ipv4Addr>().ok().filter(Ipv4Addr::is_loopback).map(IpAddr::V4).ok_or_else(|| {
        Error::refuse(
            ErrorCode::InvalidParameterVipNotInSubnet,
            format!("The address `{vip}` is not one of 127.0.0.0/8, where instances have theirs."),
            format!("IP `{vip}` 不在实例可用的网段 127.0.0.0/8 内。"),
        )
    })
}

/// Refuses an address that the instance `id` cannot have: another one's, or a stranger's on this machine.
pub(crate) fn free(
    read: &impl Read,
    id: &str,
    address: SocketAddr,
    error: fn(SocketAddr) -> Error,
) -> Result<(), Error> {
    let rows = read.scan_all::<Instances>()?;
    let of_another = |(_, other, row): &(Regional, String, InstanceRow)| {
        if other == id {
            row.nodes.iter().any(|node| node.address == address)
        } else {
            row.loopback_addresses().any(|taken| taken == address)
        }
    };
    let own = rows.iter().filter(|(_, other, _)| other == id);
    let kept = own.flat_map(|(_, _, row)| &row.network.reserved).any(|reserved| reserved.address == address);
    if rows.iter().any(of_another) || (!kept && TcpListener::bind(address).is_err()) {
        return Err(error(address));
    }
    Ok(())
}

pub(crate) fn vip_used(address: SocketAddr) -> Error {
    let ip = address.ip();
    Error::refuse(
        ErrorCode::InvalidParameterVipUsed,
        format!("The address {ip} is in use, or cannot be had on this machine."),
        format!("IP {ip} 已被使用或本机不可用。"),
    )
}

pub(crate) fn port_used(address: SocketAddr) -> Error {
    let port = address.port();
    Error::refuse(
        ErrorCode::InvalidParameterVportUsed,
        format!("The port {port} is in use, or cannot be had on this machine."),
        format!("端口 {port} 已被使用或本机不可用。"),
    )
}

pub(crate) fn unchanged() -> Error {
    Error::refuse(
        ErrorCode::FailedOperationVipNotChange,
        "The instance has this address already.",
        "实例的地址没有变化。",
    )
}

/// The addresses of an instance that are open.
#[derive(Default)]
pub(crate) struct Doors {
    open: BTreeMap<SocketAddr, Door>,
    /// When one could not be opened last.
    failed: Option<Instant>,
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.open.keys()).finish()
    }
}

impl MariaDb {
    /// Where the instance is to be reached, its own address first.
    pub(crate) fn addresses(&self, row: &InstanceRow) -> Vec<SocketAddr> {
        let now = self.now();
        let reserved = row.network.reserved.iter().filter(|reserved| now < reserved.until);
        let public = row.network.public.filter(|public| public.state == PublicState::Open);
        let public = public.map(|public| SocketAddr::new(self.public.ip, public.port));
        [row.address].into_iter().chain(reserved.map(|reserved| reserved.address)).chain(public).collect()
    }

    /// Opens every address of an instance, all of them leading to its primary, and closes those that are none any more. Only its own
    /// address has to open; the others are tried again.
    pub(crate) async fn open_door(&self, id: &str, row: &InstanceRow) -> Result<(), Error> {
        let primary = row.primary_node()?.address;
        let wanted = self.addresses(row);
        let is_open = |address: &&SocketAddr| {
            self.doors.lock().get(id).is_some_and(|doors| doors.open.contains_key(address))
        };
        let missing: Vec<SocketAddr> = wanted.iter().filter(|address| !is_open(address)).copied().collect();
        let (mut opened, mut failed) = (Vec::new(), None);
        for address in missing {
            let porter = Porter::new(self.itself.clone(), id);
            match Door::open(address, primary, porter).await {
                Ok(door) => opened.push((address, door)),
                Err(error) if address == row.address => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(instance = id, %address, %error, "an address could not be opened; it will be tried again");
                    failed = Some(Instant::now());
                }
            }
        }
        let mut all = self.doors.lock();
        let doors = all.entry(id.to_owned()).or_default();
        doors.open.retain(|address, _| wanted.contains(address));
        doors.open.extend(opened);
        doors.failed = failed;
        doors.open.values().for_each(|door| door.lead_to(primary));
        Ok(())
    }

    /// Cuts every connection to an instance; new ones may come.
    pub(crate) fn cut_off_clients(&self, id: &str) {
        if let Some(doors) = self.doors.lock().get(id) {
            doors.open.values().for_each(Door::cut_off);
        }
    }

    /// Whether the public address of an instance is open.
    pub(crate) fn is_reached_at(&self, id: &str, address: SocketAddr) -> bool {
        self.doors.lock().get(id).is_some_and(|doors| doors.open.contains_key(&address))
    }

    /// Opens and closes what is due: former addresses whose time is over, and those that could not be opened. The certificate goes along.
    pub(crate) async fn keep_addresses(
        &self,
        scope: &Regional,
        id: &str,
        row: &InstanceRow,
    ) -> Result<(), Error> {
        let now = self.now();
        if row.network.reserved.iter().any(|reserved| reserved.until <= now) {
            let (scope, id) = (scope.clone(), id.to_owned());
            self.store
                .write(move |tx| {
                    let mut row = instances::existing(tx, &scope, &id)?;
                    row.network.reserved.retain(|reserved| now < reserved.until);
                    tx.put::<Instances>(&scope, &id, &row)?;
                    Ok::<_, Error>(())
                })
                .await?;
        }
        let wanted = self.addresses(row);
        let differs = self.doors.lock().get(id).is_some_and(|doors| {
            let fits = doors.open.len() == wanted.len()
                && wanted.iter().all(|address| doors.open.contains_key(address));
            !fits && doors.failed.is_none_or(|failed| failed.elapsed() >= AGAIN)
        });
        if !differs && !self.is_certificate_due(id, row) {
            return Ok(());
        }
        let alone = self.lock(id);
        let Ok(_alone) = alone.try_lock() else { return Ok(()) };
        // A flow may have come first.
        let Some(row) = self.store.read(|view| view.get::<Instances>(scope, id))?.filter(|row| row.flow == 0)
        else {
            return Ok(());
        };
        if self.doors.lock().contains_key(id) {
            self.recertify(id, &row).await?;
            self.open_door(id, &row).await?;
        }
        Ok(())
    }

    /// A port for the public address of an instance: the one that it had, where that is free.
    pub(crate) fn public_port(&self, former: Option<u16>) -> Result<u16, Error> {
        let random = || {
            let (first, last) = PORTS;
            let bytes = self.world.uuid().into_bytes();
            first + u16::from_be_bytes([bytes[0], bytes[1]]) % (last - first + 1)
        };
        let candidates = former.into_iter().chain(std::iter::repeat_with(random).take(TRIES));
        let mut free = candidates.filter(|port| TcpListener::bind((self.public.ip, *port)).is_ok());
        free.next().ok_or_else(|| {
            let ip = self.public.ip;
            Error::refuse(
                ErrorCode::ResourceInsufficient,
                format!("No port could be opened on {ip}, where public addresses are (`--mariadb-public-address`)."),
                format!("公网地址 {ip} 上没有可用端口（`--mariadb-public-address`）。"),
            )
        })
    }

    /// A new inner address, with the port that the instance has.
    pub(crate) fn new_address(&self, row: &InstanceRow) -> Result<SocketAddr, Error> {
        let rows = self.store.read(|view| view.scan_all::<Instances>())?;
        let taken: Vec<SocketAddr> = rows.iter().flat_map(|(_, _, row)| row.loopback_addresses()).collect();
        let [address, ..] = addresses::block(&self.world, &taken)?;
        Ok(if address.ip() == row.address.ip() {
            address
        } else {
            SocketAddr::new(address.ip(), row.address.port())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn former_addresses_are_kept_for_their_hours() {
        let now = Moment(1000);
        assert_eq!(kept_until(None, now).unwrap(), Some(Moment(1000 + 24 * 3600)));
        assert_eq!(kept_until(Some(168), now).unwrap(), Some(Moment(1000 + 168 * 3600)));
        assert_eq!(kept_until(Some(0), now).unwrap(), None);
        assert!(kept_until(Some(169), now).is_err() && kept_until(Some(u64::MAX), now).is_err());
    }

    #[test]
    fn inner_addresses_are_on_this_machine_only() {
        assert_eq!(chosen(" 127.70.1.2 ").unwrap(), IpAddr::from([127, 70, 1, 2]));
        for bad in ["10.0.0.1", "::1", "127.70.1", ""] {
            assert!(chosen(bad).is_err(), "{bad}");
        }
        assert!(no_ipv6(true).is_err() && no_ipv6(false).is_ok());
    }

    #[test]
    fn the_public_address_is_told_while_it_is_open() {
        let place = PublicAddress::default();
        let mut network = Network::default();
        assert_eq!(network.wan(&place).status, 0);
        let told = |state, network: &mut Network| {
            network.public = Some(Public { port: 12_345, state });
            let wan = network.wan(&PublicAddress::default());
            (wan.status, wan.domain, wan.port)
        };
        assert_eq!(told(PublicState::Open, &mut network), (1, "localhost".to_owned(), 12_345));
        assert_eq!(told(PublicState::Closed, &mut network), (2, String::new(), 0));
        assert_eq!(told(PublicState::Opening, &mut network).0, 3);
        assert_eq!(told(PublicState::Closing, &mut network).0, 4);
        let elsewhere = PublicAddress { ip: [192, 0, 2, 7].into(), name: None };
        assert_eq!(elsewhere.name(), "192.0.2.7");
        assert_eq!(PublicAddress { name: Some("db.example".to_owned()), ..elsewhere }.name(), "db.example");
    }
}
