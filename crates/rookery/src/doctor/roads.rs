//! Where a call to an address would end: proxies first, then names, as clients decide it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rookery_gateway::proxy::ServedNames;

use crate::data_directory::Endpoints;

/// How long the name resolver may take for all names together.
const RESOLVING: Duration = Duration::from_secs(5);

/// Where a call would end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// At Rookery, at its own address.
    Here,
    /// At Rookery, through it as a proxy.
    Proxied,
    /// At Rookery's proxy, which refuses the name.
    Refused,
    /// On this machine, at a port that is not Rookery's.
    OtherPort(u16),
    /// At a proxy that is not Rookery.
    ForeignProxy(String),
    /// At this address.
    Away(IpAddr),
    /// The name does not resolve.
    Nowhere,
}

impl Destination {
    /// Whether a call would leave for somebody else.
    pub(super) fn leaves(&self) -> bool {
        matches!(self, Self::ForeignProxy(_) | Self::Away(_))
    }

    pub(super) fn arrives(&self) -> bool {
        matches!(self, Self::Here | Self::Proxied)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => f.write_str("leads here"),
            Self::Proxied => f.write_str("leads here, through the proxy"),
            Self::Refused => f.write_str("is refused by Rookery's proxy"),
            Self::OtherPort(port) => {
                write!(f, "leads to port {port} of this machine, which is not Rookery's")
            }
            Self::ForeignProxy(proxy) => write!(f, "goes to the proxy {proxy}"),
            Self::Away(address) => write!(f, "goes to {address}"),
            Self::Nowhere => f.write_str("does not resolve on this machine"),
        }
    }
}

/// An address as settings hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Address {
    /// Reads `host`, `host:port` or a URL. Without a scheme it is HTTPS if `tls`.
    pub(super) fn read(text: &str, tls: bool) -> Self {
        let (tls, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.eq_ignore_ascii_case("https"), rest),
            None => (tls, text),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority.rsplit_once('@').map_or(authority, |(_, after)| after);
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let usual = if tls { 443 } else { 80 };
        let port = port.and_then(|port| port.parse().ok()).unwrap_or(usual);
        Self { tls, host: host.trim_end_matches('.').to_ascii_lowercase(), port }
    }
}

/// The proxies, names and addresses of this machine.
pub(super) struct Roads {
    http_proxy: Option<String>,
    https_proxy: Option<String>,
    no_proxy: Vec<String>,
    ours: Option<(ServedNames, [u16; 2])>,
    resolver: Resolver,
}

impl Roads {
    pub(super) fn new(
        variables: &HashMap<String, String>,
        cloud: Option<&Endpoints>,
        resolver: Resolver,
    ) -> Self {
        let first = |names: [&str; 4]| {
            names.iter().find_map(|name| variables.get(*name)).filter(|value| !value.is_empty()).cloned()
        };
        let no_proxy = first(["no_proxy", "NO_PROXY", "", ""]).unwrap_or_default();
        let ours = cloud.map(|cloud| {
            let ports = [Address::read(&cloud.http, false).port, Address::read(&cloud.https, true).port];
            (ServedNames::new(&cloud.registry_suffix, &ports), ports)
        });
        Self {
            http_proxy: first(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https_proxy: first(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            no_proxy: no_proxy
                .split([',', ' '])
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
            ours,
            resolver,
        }
    }

    /// Where a call to `address` would end.
    pub(super) fn to(&self, address: &Address) -> Destination {
        let proxy = if address.tls { &self.https_proxy } else { &self.http_proxy };
        match proxy {
            Some(proxy) if !self.excluded(&address.host) && !is_loopback(&address.host) => {
                match (&self.ours, self.is_ours(proxy)) {
                    (Some((names, _)), true) if names.contain(&address.host, Some(address.port)) => {
                        Destination::Proxied
                    }
                    (_, true) => Destination::Refused,
                    _ => Destination::ForeignProxy(without_password(proxy)),
                }
            }
            _ => self.directly_to(address),
        }
    }

    /// Where it would end for a client that knows no proxy.
    pub(super) fn directly_to(&self, address: &Address) -> Destination {
        let found = self.resolver.addresses(&address.host);
        if let Some(away) = found.iter().find(|found| !found.is_loopback()) {
            return Destination::Away(*away);
        }
        match &self.ours {
            _ if found.is_empty() => Destination::Nowhere,
            Some((_, ports)) if ports.contains(&address.port) => Destination::Here,
            _ => Destination::OtherPort(address.port),
        }
    }

    /// Whether a proxy setting names Rookery's HTTP address.
    pub(super) fn is_ours(&self, proxy: &str) -> bool {
        let address = Address::read(proxy, false);
        let ours = self.ours.as_ref().is_some_and(|(_, [http, _])| *http == address.port);
        ours && !address.tls && is_loopback(&address.host)
    }

    /// Whether `NO_PROXY` keeps a host from the proxy: clients compare whole names, suffixes, and some parts of names.
    pub(super) fn excluded(&self, host: &str) -> bool {
        self.no_proxy.iter().any(|entry| {
            let entry = entry.trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
            let entry = entry
                .rsplit_once(':')
                .filter(|(_, port)| port.parse::<u16>().is_ok())
                .map_or(&*entry, |(name, _)| name);
            entry.is_empty()
                || host == entry
                || host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.'))
        })
    }

    /// Asks for many names at once, so that a slow resolver costs its time once.
    pub(super) fn prepare(&self, hosts: &[String]) {
        self.resolver.prepare(hosts);
    }
}

/// A proxy's URL may hold a password.
pub(super) fn without_password(proxy: &str) -> String {
    match (proxy.split_once("://"), proxy.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => proxy.to_owned(),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

type Lookup = fn(&str) -> Vec<IpAddr>;

/// The system's name resolver, with a memory.
pub(super) struct Resolver {
    known: RefCell<HashMap<String, Vec<IpAddr>>>,
    lookup: Lookup,
}

impl Resolver {
    pub(super) fn system() -> Self {
        let lookup = |host: &str| match (host, 443).to_socket_addrs() {
            Ok(found) => found.map(|address| address.ip()).collect(),
            Err(_) => Vec::new(),
        };
        Self { known: RefCell::default(), lookup }
    }

    #[cfg(test)]
    pub(super) fn fixed(known: HashMap<String, Vec<IpAddr>>) -> Self {
        Self { known: RefCell::new(known), lookup: |_| Vec::new() }
    }

    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        if let Ok(address) = host.parse() {
            return vec![address];
        }
        self.prepare(&[host.to_owned()]);
        self.known.borrow().get(host).cloned().unwrap_or_default()
    }

    /// A name without an answer in time counts as one that does not resolve.
    fn prepare(&self, hosts: &[String]) {
        let (answer, answers) = mpsc::channel();
        let mut open = 0;
        for host in hosts {
            if self.known.borrow().contains_key(host) {
                continue;
            }
            self.known.borrow_mut().insert(host.clone(), Vec::new());
            let (answer, host, lookup) = (answer.clone(), host.clone(), self.lookup);
            thread::spawn(move || {
                let found = lookup(&host);
                // Nobody waits for a late answer.
                let _ = answer.send((host, found));
            });
            open += 1;
        }
        let end = Instant::now() + RESOLVING;
        while open > 0 {
            let Ok((host, found)) = answers.recv_timeout(end.saturating_duration_since(Instant::now()))
            else {
                break;
            };
            self.known.borrow_mut().insert(host, found);
            open -= 1;
        }
    }
}
