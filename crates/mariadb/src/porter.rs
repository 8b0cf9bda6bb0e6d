//! Who stands at the doors of an instance: lets in whom its security groups let in, and leads accounts that only read to its standbys.
//!
//! `ReadOnly` of an account, by the documentation of `CreateAccount`: 1 prefers a standby and takes the primary where none is fit; 2 takes
//! a standby that is fit, or fails; 3 takes a standby however far it is behind. A standby is fit that follows its primary and is not more
//! than `DelayThresh` seconds behind. With `SlaveConst` 1 a connection ends when its standby is fit no more; otherwise it goes on.
//!
//! What happens is decided when a connection begins. The platform's proxy, which reads every statement, may lead the next one elsewhere.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rookery_store::{Read as _, Regional};

use crate::MariaDb;
use crate::accounts::{self, AccountRow};
use crate::door::{Doorman, Tls, Way};
use crate::error::Error;
use crate::instances::{ById, InstanceRow, Node};
use crate::security;
use crate::security_groups::admit;

/// Seconds that a standby may be behind where an account does not say.
const DELAY: i64 = 10;
/// How often a standby that a connection is bound to is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The doorman of an instance.
pub(crate) struct Porter {
    product: Weak<MariaDb>,
    id: String,
    /// Connections that were led to standbys, so that they take turns.
    turn: AtomicUsize,
}

impl Porter {
    pub(crate) fn new(product: Weak<MariaDb>, id: &str) -> Self {
        Self { product, id: id.to_owned(), turn: AtomicUsize::new(0) }
    }

    /// The product and the instance, as it is now.
    fn instance(&self) -> Result<(Arc<MariaDb>, Regional, InstanceRow), Error> {
        let product = self.product.upgrade().ok_or(Error::Inconsistent("the product is gone"))?;
        let found = product.store.read(|view| view.find::<ById>(&self.id))?;
        let (scope, _, row) = found.ok_or_else(|| Error::no_instance(&self.id))?;
        Ok((product, scope, row))
    }

    async fn way(&self, user: &str, client: IpAddr) -> Result<Way, Error> {
        let (product, _, row) = self.instance()?;
        let accounts = product.store.read(|view| accounts::list(view, &self.id))?;
        let Some(account) = whose(&accounts, user, client).filter(|account| account.read_only != 0) else {
            return Ok(Way::Primary);
        };
        let level = account.read_only;
        let most = if account.delay > 0 { account.delay } else { DELAY };
        let mut fit = Vec::new();
        for (at, node) in row.nodes.iter().enumerate() {
            if at == row.primary || !product.is_ready(&self.id, node) {
                continue;
            }
            if level == 3 || product.behind(&self.id, node).await.is_some_and(|behind| behind <= most) {
                fit.push(node);
            }
        }
        let Some(node) = self.choose(&row, &fit) else {
            return Ok(match level {
                1 => Way::Primary,
                _ => Way::Nowhere("No standby is fit for this account, which reads from standbys only."),
            });
        };
        let fixed = account.fixed && level != 3;
        let until = fixed.then(|| unfit(self.product.clone(), self.id.clone(), node.clone(), most));
        Ok(Way::Standby { address: node.address, until })
    }

    /// The next of those that are fit; with nearest access, of those in the instance's own zone where there are any.
    fn choose<'n>(&self, row: &InstanceRow, fit: &[&'n Node]) -> Option<&'n Node> {
        let near = |node: &&&'n Node| row.network.nearest && row.zones.first() == Some(&node.zone);
        let near: Vec<&'n Node> = fit.iter().filter(near).copied().collect();
        let among = if near.is_empty() { fit } else { &near };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(among.len())?;
        among.get(turn).copied()
    }
}

impl Doorman for Porter {
    fn admits(&self, client: IpAddr) -> bool {
        match self.instance() {
            Ok((_, _, row)) if row.security_groups.is_empty() => true,
            Ok((product, scope, row)) => {
                let known = product.known_groups(&scope.region);
                admit(&row.security_groups, known.as_deref(), client, row.address.port())
            }
            Err(error) => {
                tracing::error!(instance = self.id, %error, "who may come in is not known, so nobody does");
                false
            }
        }
    }

    fn guides(&self) -> bool {
        let known = self
            .product
            .upgrade()
            .and_then(|product| product.store.read(|view| accounts::list(view, &self.id)).ok());
        known.is_some_and(|accounts| accounts.iter().any(|account| account.read_only != 0))
    }

    fn guide(&self, user: &str, client: IpAddr) -> BoxFuture<'_, Way> {
        let user = user.to_owned();
        Box::pin(async move {
            self.way(&user, client).await.unwrap_or_else(|error| {
                tracing::error!(instance = self.id, %error, "where an account is to be led is not known");
                Way::Nowhere("Where this account is to be led is not known.")
            })
        })
    }

    fn tls(&self) -> Option<Tls> {
        let (product, _, row) = self.instance().ok()?;
        let off = matches!(row.security.tls, security::Tls::Off | security::Tls::Opening);
        let read = (!off).then(|| product.door_tls(&self.id, &row))?;
        read.inspect_err(|error| tracing::error!(instance = self.id, %error, "a door cannot speak TLS")).ok()
    }
}

/// Ends when the standby is fit no more.
fn unfit(product: Weak<MariaDb>, id: String, node: Node, most: i64) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(product) = product.upgrade() else { return };
            if product.behind(&id, &node).await.is_none_or(|behind| behind > most) {
                return;
            }
        }
    })
}

impl MariaDb {
    /// How many seconds a standby is behind; `None` for one that does not follow, or does not answer.
    async fn behind(&self, id: &str, node: &Node) -> Option<i64> {
        let told = self.connect(id, node).await.ok()?.query("SHOW SLAVE STATUS").await.ok()?;
        let follows =
            ["Slave_IO_Running", "Slave_SQL_Running"].iter().all(|thread| told.first(thread) == "Yes");
        told.first("Seconds_Behind_Master").parse().ok().filter(|_| follows)
    }
}

/// The account that the server will find for a user of a client: of those whose host is about it, the one that says most.
fn whose<'r>(accounts: &'r [AccountRow], user: &str, client: IpAddr) -> Option<&'r AccountRow> {
    let client = client.to_canonical().to_string();
    let fits = accounts.iter().filter(|account| account.user == user && is_about(&account.host, &client));
    // A host without a wildcard before those with one, and these by how much comes before it.
    fits.max_by_key(|account| account.host.find(['%', '_']).unwrap_or(usize::MAX))
}

/// Whether a host as accounts have it is about an address: a pattern, or a network with its mask.
fn is_about(host: &str, client: &str) -> bool {
    if let Some((network, mask)) = host.split_once('/') {
        let bits = |text: &str| text.parse::<std::net::Ipv4Addr>().map(u32::from);
        return match (bits(network), bits(mask), bits(client)) {
            (Ok(network), Ok(mask), Ok(client)) => client & mask == network,
            _ => false,
        };
    }
    like(host.as_bytes(), client.as_bytes())
}

/// `LIKE`: `%` is any text, `_` any character.
fn like(mut pattern: &[u8], mut text: &[u8]) -> bool {
    // After the last `%`: what is left of the pattern, and of the text if that took one character more.
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => return true,
            (Some((b'%', rest)), _) => {
                again = Some((rest, text));
                pattern = rest;
            }
            (Some((one, rest)), Some((other, later))) if *one == b'_' || one.eq_ignore_ascii_case(other) => {
                (pattern, text) = (rest, later);
            }
            _ => {
                let Some((rest, (_, later))) =
                    again.and_then(|(rest, taken)| Some((rest, taken.split_first()?)))
                else {
                    return false;
                };
                again = Some((rest, later));
                (pattern, text) = (rest, later);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moments::Moment;

    fn account(user: &str, host: &str, read_only: i64) -> AccountRow {
        AccountRow {
            user: user.to_owned(),
            host: host.to_owned(),
            description: String::new(),
            read_only,
            delay: 0,
            fixed: false,
            created: Moment(0),
            updated: Moment(0),
        }
    }

    #[test]
    fn the_account_is_the_one_that_the_server_finds() {
        let accounts = [
            account("app", "%", 0),
            account("app", "127.%", 1),
            account("app", "127.0.0.1", 2),
            account("app", "10.1.0.0/255.255.0.0", 3),
            account("other", "%", 1),
        ];
        let of =
            |user, client: [u8; 4]| whose(&accounts, user, client.into()).map(|account| account.read_only);
        assert_eq!(of("app", [127, 0, 0, 1]), Some(2));
        assert_eq!(of("app", [127, 0, 0, 2]), Some(1));
        assert_eq!(of("app", [10, 1, 2, 3]), Some(3));
        assert_eq!(of("app", [10, 2, 0, 1]), Some(0));
        assert_eq!(of("nobody", [127, 0, 0, 1]), None);
    }

    #[test]
    fn hosts_are_patterns() {
        for (host, client, about) in [
            ("127.0.0._", "127.0.0.7", true),
            ("127.0.0._", "127.0.0.77", false),
            ("1%7", "127.0.0.7", true),
            ("%%", "::1", true),
            ("", "::1", false),
            ("%0.%.7%", "127.0.0.7", true),
            ("%0.%.8", "127.0.0.7", false),
            (&"%0".repeat(30), &"0".repeat(29), false),
            ("10.0.0.0/255.0.0.0", "::1", false),
        ] {
            assert_eq!(is_about(host, client), about, "{host} {client}");
        }
    }

    #[test]
    fn standbys_take_turns_or_the_near_one_has_them_all() {
        let porter = Porter::new(Weak::new(), "i");
        let mut row = InstanceRow::sample();
        let node =
            |id: &str, zone: &str| Node { id: id.to_owned(), zone: zone.to_owned(), ..row.nodes[0].clone() };
        let (far, near) = (node("far", "ap-guangzhou-4"), node("near", "ap-guangzhou-1"));
        let fit = [&far, &near];
        let turns: Vec<_> = (0..3).map(|_| porter.choose(&row, &fit).unwrap().id.as_str()).collect();
        assert_eq!(turns, ["far", "near", "far"]);
        row.network.nearest = true;
        assert!((0..3).all(|_| porter.choose(&row, &fit).unwrap().id == "near"));
        assert_eq!(porter.choose(&row, &[&far]).unwrap().id, "far", "better a far one than none");
        assert!(porter.choose(&row, &[]).is_none());
    }
}
