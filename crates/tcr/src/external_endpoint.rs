//! The public endpoint of an instance and its allow list (`tcr.md` §1.8).
//!
//! While it is closed, as at first, clients of this machine and of private networks are let in: they stand for the internal network of
//! the cloud, and addresses of the internet are turned away. Once it is open, the allow list decides for every client, these included: an
//! emulator has no others. An open endpoint without a rule lets nobody in, as the platform documents.

use std::net::IpAddr;

use ipnet::IpNet;
use rookery_api::tcr::{ErrorCode, SecurityPolicy};
use rookery_store::{Read, Regional, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Rule};
use crate::instances::Instance;

/// Rules of an instance. The platform's own number is not public.
const MOST: usize = 100;

pub(crate) const CIDR: Rule =
    Rule { english: "must be an IP address or a CIDR block", chinese: "须为IP地址或CIDR网段" };
const TAKEN: Rule = Rule { english: "is on the list already", chinese: "已在白名单中" };
const LIST: Rule = Rule {
    english: "must leave the list with at most 100 rules",
    chinese: "白名单规则不能超过100条",
};
const INDEX: Rule = Rule { english: "must be the index of a rule", chinese: "须为已有规则的索引" };
const VERSION: Rule =
    Rule { english: "is not the list's version any more", chinese: "不是白名单的当前版本" };
const MISSING: Rule = Rule { english: "is not on the list", chinese: "不在白名单中" };

/// The endpoint of each instance that has been told of one.
pub(crate) struct ExternalEndpoints;

/// What is kept of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndpointRow {
    pub(crate) open: bool,
    /// The list as a whole; it rises with each change.
    pub(crate) version: u64,
    pub(crate) rules: Vec<AllowRule>,
}

/// A rule of the list; its index is its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AllowRule {
    /// As it was given.
    pub(crate) block: String,
    pub(crate) description: String,
}

impl Table for ExternalEndpoints {
    const NAME: &'static str = "tcr.external-endpoints";
    type Scope = Regional;
    type Key = String;
    type Row = EndpointRow;
}

fn invalid(parameter: &'static str, rule: Rule) -> Error {
    Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter }
}

/// A network, or the network of one address.
pub(crate) fn parse(block: &str) -> Option<IpNet> {
    block.parse::<IpNet>().ok().or_else(|| block.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Whether an address is of this machine or of a network that the internet does not reach.
fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

impl EndpointRow {
    /// Whether a client may come in.
    pub(crate) fn admits(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        if !self.open {
            return is_internal(peer);
        }
        self.rules.iter().filter_map(|rule| parse(&rule.block)).any(|block| block.contains(&peer))
    }

    /// `Status`.
    pub(crate) fn status(&self) -> &'static str {
        if self.open { "Opened" } else { "Closed" }
    }

    pub(crate) fn add(
        &mut self,
        parameter: &'static str,
        block: &str,
        description: &str,
    ) -> Result<(), Error> {
        let parsed = parse(block).ok_or_else(|| invalid(parameter, CIDR))?;
        if self.place(parsed).is_some() {
            return Err(invalid(parameter, TAKEN));
        }
        if self.rules.len() >= MOST {
            return Err(invalid(parameter, LIST));
        }
        self.rules.push(AllowRule { block: block.to_owned(), description: description.to_owned() });
        Ok(())
    }

    fn place(&self, block: IpNet) -> Option<usize> {
        self.rules.iter().position(|rule| parse(&rule.block) == Some(block))
    }

    pub(crate) fn change(&mut self, index: i64, block: &str, description: &str) -> Result<(), Error> {
        let parsed = parse(block).ok_or_else(|| invalid("CidrBlock", CIDR))?;
        let at = usize::try_from(index).ok().filter(|at| *at < self.rules.len());
        let at = at.ok_or_else(|| invalid("PolicyIndex", INDEX))?;
        if self.place(parsed).is_some_and(|other| other != at) {
            return Err(invalid("CidrBlock", TAKEN));
        }
        if let Some(rule) = self.rules.get_mut(at) {
            *rule = AllowRule { block: block.to_owned(), description: description.to_owned() };
        }
        Ok(())
    }

    /// Takes a rule away: by its block, else by its index; `version` has to be the list's own where it is given.
    pub(crate) fn remove(
        &mut self,
        block: Option<&str>,
        index: Option<i64>,
        version: Option<&str>,
    ) -> Result<(), Error> {
        if version.is_some_and(|version| !version.is_empty() && version != self.version.to_string()) {
            return Err(invalid("PolicyVersion", VERSION));
        }
        let at = match (block.filter(|block| !block.is_empty()), index) {
            (Some(block), _) => {
                let parsed = parse(block).ok_or_else(|| invalid("CidrBlock", CIDR))?;
                self.place(parsed).ok_or_else(|| invalid("CidrBlock", MISSING))?
            }
            (None, Some(index)) => {
                let at = usize::try_from(index).ok().filter(|at| *at < self.rules.len());
                at.ok_or_else(|| invalid("PolicyIndex", INDEX))?
            }
            (None, None) => return Err(Error::Missing("CidrBlock")),
        };
        self.rules.remove(at);
        Ok(())
    }

    /// The rules as replies show them.
    pub(crate) fn describe(&self) -> Vec<SecurityPolicy> {
        let rules = self.rules.iter().zip(0_i64..);
        rules
            .map(|(rule, index)| SecurityPolicy {
                policy_index: Some(index),
                description: Some(rule.description.clone()),
                cidr_block: Some(rule.block.clone()),
                policy_version: Some(self.version.to_string()),
            })
            .collect()
    }
}

/// The endpoint of an instance; closed where nobody has said anything.
pub(crate) fn find(read: &impl Read, instance: &Instance) -> Result<EndpointRow, StoreError> {
    Ok(read.get::<ExternalEndpoints>(&instance.scope, &instance.id)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(row: &EndpointRow, peer: &str) -> bool {
        row.admits(peer.parse().unwrap())
    }

    #[test]
    fn a_closed_endpoint_lets_the_internal_network_in() {
        let closed = EndpointRow::default();
        for peer in
            ["127.0.0.1", "10.1.2.3", "172.18.0.1", "192.168.1.1", "::1", "fd00::1", "::ffff:127.0.0.1"]
        {
            assert!(admits(&closed, peer), "{peer}");
        }
        for peer in ["8.8.8.8", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert!(!admits(&closed, peer), "{peer}");
        }
    }

    #[test]
    fn an_open_endpoint_lets_in_whom_its_list_names() {
        let mut open = EndpointRow { open: true, ..EndpointRow::default() };
        assert!(!admits(&open, "127.0.0.1"));
        open.add("CidrBlock", "127.0.0.2", "").unwrap();
        open.add("CidrBlock", "8.8.8.0/24", "").unwrap();
        assert!(admits(&open, "127.0.0.2") && admits(&open, "::ffff:8.8.8.9"));
        assert!(!admits(&open, "127.0.0.1") && !admits(&open, "8.8.9.8"));
        open.add("CidrBlock", "0.0.0.0/0", "").unwrap();
        assert!(admits(&open, "127.0.0.1"));
    }

    #[test]
    fn rules_are_known_by_block_or_place() {
        let mut row = EndpointRow::default();
        for block in ["10.0.0.0/8", "1.1.1.1", "2.2.2.2"] {
            row.add("CidrBlock", block, "").unwrap();
        }
        assert!(
            row.add("CidrBlock", "1.1.1.1/32", "").is_err() && row.add("CidrBlock", "nonsense", "").is_err()
        );
        row.change(1, "3.3.3.3", "new").unwrap();
        assert!(row.change(3, "4.4.4.4", "").is_err() && row.change(0, "2.2.2.2", "").is_err());
        row.change(1, "3.3.3.3", "newer").unwrap();
        // The block wins over the index.
        row.remove(Some("10.0.0.0/8"), Some(2), None).unwrap();
        row.remove(None, Some(1), Some("0")).unwrap();
        assert_eq!(row.rules.iter().map(|rule| rule.block.as_str()).collect::<Vec<_>>(), ["3.3.3.3"]);
        assert!(row.remove(None, Some(1), None).is_err() && row.remove(Some("9.9.9.9"), None, None).is_err());
        assert!(row.remove(None, None, None).is_err() && row.remove(None, Some(0), Some("7")).is_err());
    }
}
