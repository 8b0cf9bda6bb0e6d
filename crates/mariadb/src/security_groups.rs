//! Security groups: who may come in at an instance's addresses. Which groups there are and what their rules say, something else knows
//! ([`SecurityGroups`]); here rules are read and asked.
//!
//! As on the platform, groups are asked in the order in which they are bound, their rules from first to last; the first that is about
//! the connection decides, and what no rule is about stays outside. An instance without groups lets everybody in. The port of a rule is
//! the instance's own (`Vport`), also for connections to its public address. Rules of the way out say nothing here: servers call nobody.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use rookery_api::mariadb::{ErrorCode, SecurityGroup, SecurityGroupBound};

use crate::error::Error;
use crate::instances::InstanceRow;

/// What knows the groups of a cloud.
pub trait SecurityGroups: fmt::Debug + Send + Sync {
    /// The groups in a region, of every project.
    fn groups(&self, region: &str) -> Vec<Group>;
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// `sg-xxxxxxxx`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What they say of it.
    pub remark: String,
    /// The project that it belongs to.
    pub project: i64,
    /// Since when it is there, as replies show it.
    pub created: String,
    /// The rules for connections that come in, the most important first.
    pub inbound: Vec<Rule>,
    /// Those for connections that go out; shown only.
    pub outbound: Vec<Rule>,
}

/// A rule, as it was written and as it is asked.
#[derive(Clone, Debug)]
pub struct Rule {
    action: String,
    cidr: String,
    ports: String,
    protocol: String,
    accepts: bool,
    network: IpNet,
    /// `None` for all.
    ranges: Option<Vec<RangeInclusive<u16>>>,
    /// Whether it is about TCP, which is all that instances speak.
    is_tcp: bool,
}

/// What a rule says that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("`{member}` of a rule is `{value}`: it must be {rule}")]
pub struct RuleError {
    member: &'static str,
    value: String,
    rule: &'static str,
}

impl Rule {
    /// Reads a rule: `ACCEPT` or `DROP`; an address or a network; `ALL`, ports, and ranges of ports, with commas between them; `TCP`,
    /// `UDP`, `ICMP` or `ALL`.
    pub fn new(action: &str, cidr: &str, ports: &str, protocol: &str) -> Result<Self, RuleError> {
        let wrong = |member, value: &str, rule| RuleError { member, value: value.to_owned(), rule };
        let accepts = match action.to_ascii_uppercase().as_str() {
            "ACCEPT" => true,
            "DROP" => false,
            _ => return Err(wrong("Action", action, "ACCEPT or DROP")),
        };
        let network = cidr.parse::<IpNet>().or_else(|_| cidr.parse::<IpAddr>().map(IpNet::from));
        let network =
            network.map_err(|_| wrong("CidrIp", cidr, "an address, or a network such as 127.0.0.0/8"))?;
        let ranges = if ports.eq_ignore_ascii_case("all") {
            None
        } else {
            let each: Option<Vec<_>> = ports.split(',').map(|part| range(part.trim())).collect();
            Some(each.ok_or_else(|| {
                wrong("PortRange", ports, "ALL, or ports and ranges such as 3306,3310-3320")
            })?)
        };
        let is_tcp = match protocol.to_ascii_uppercase().as_str() {
            "TCP" | "ALL" => true,
            "UDP" | "ICMP" | "ICMPV6" => false,
            _ => return Err(wrong("IpProtocol", protocol, "TCP, UDP, ICMP or ALL")),
        };
        let [action, cidr, ports, protocol] = [action, cidr, ports, protocol].map(str::to_owned);
        Ok(Self { action, cidr, ports, protocol, accepts, network, ranges, is_tcp })
    }

    fn is_about(&self, client: IpAddr, port: u16) -> bool {
        let at = |ranges: &Vec<RangeInclusive<u16>>| ranges.iter().any(|range| range.contains(&port));
        self.is_tcp && self.network.contains(&client) && self.ranges.as_ref().is_none_or(at)
    }

    fn bound(&self) -> SecurityGroupBound {
        SecurityGroupBound {
            action: self.action.clone(),
            cidr_ip: self.cidr.clone(),
            port_range: self.ports.clone(),
            ip_protocol: self.protocol.clone(),
        }
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some(first..=last)
}

impl Group {
    pub(crate) fn describe(&self) -> SecurityGroup {
        SecurityGroup {
            project_id: self.project,
            create_time: self.created.clone(),
            security_group_id: self.id.clone(),
            security_group_name: self.name.clone(),
            security_group_remark: self.remark.clone(),
            inbound: self.inbound.iter().map(Rule::bound).collect(),
            outbound: self.outbound.iter().map(Rule::bound).collect(),
        }
    }
}

/// Whether an instance with these groups bound lets a client in. `known` is `None` where nothing is known of groups.
pub(crate) fn admit(bound: &[String], known: Option<&[Group]>, client: IpAddr, port: u16) -> bool {
    let Some(known) = known.filter(|_| !bound.is_empty()) else { return true };
    // A client that came to an address of IPv6 by IPv4 is meant by its address of IPv4.
    let client = client.to_canonical();
    let groups = bound.iter().filter_map(|id| known.iter().find(|group| group.id == *id));
    let mut rules = groups.flat_map(|group| &group.inbound);
    rules.find(|rule| rule.is_about(client, port)).is_some_and(|rule| rule.accepts)
}

/// Refuses a group that does not exist, where it is known which do.
pub(crate) fn exist(bound: &[String], known: Option<&[Group]>) -> Result<(), Error> {
    let Some(known) = known else { return Ok(()) };
    match bound.iter().find(|id| !known.iter().any(|group| group.id == **id)) {
        None => Ok(()),
        Some(id) => Err(Error::refuse(
            ErrorCode::InvalidParameterSGCheckFail,
            format!("The security group `{id}` does not exist in this region."),
            format!("安全组 `{id}` 在该地域不存在。"),
        )),
    }
}

/// A group that is bound to an instance: as it is known, or by nothing but its id.
pub(crate) fn describe(id: &str, row: &InstanceRow, known: Option<&[Group]>) -> SecurityGroup {
    let found = known.and_then(|known| known.iter().find(|group| group.id == id));
    found.map_or_else(
        || SecurityGroup {
            project_id: row.project,
            create_time: row.created.text(),
            security_group_id: id.to_owned(),
            security_group_name: id.to_owned(),
            security_group_remark: String::new(),
            inbound: Vec::new(),
            outbound: Vec::new(),
        },
        Group::describe,
    )
}

impl crate::MariaDb {
    /// The groups of a region, where something knows them.
    pub(crate) fn known_groups(&self, region: &str) -> Option<Vec<Group>> {
        self.groups.as_ref().map(|groups| groups.groups(region))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn group(id: &str, rules: &[(&str, &str, &str, &str)]) -> Group {
        let inbound = rules
            .iter()
            .map(|(action, cidr, ports, protocol)| Rule::new(action, cidr, ports, protocol).unwrap());
        Group {
            id: id.to_owned(),
            name: String::new(),
            remark: String::new(),
            project: 0,
            created: String::new(),
            inbound: inbound.collect(),
            outbound: Vec::new(),
        }
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn the_first_rule_that_is_about_a_connection_decides() {
        let known = [
            group(
                "sg-one",
                &[("DROP", "127.0.0.9", "ALL", "ALL"), ("ACCEPT", "127.0.0.0/24", "3306", "tcp")],
            ),
            group("sg-two", &[("ACCEPT", "0.0.0.0/0", "3300-3310,4000", "ALL")]),
            group("sg-udp", &[("ACCEPT", "0.0.0.0/0", "ALL", "UDP")]),
        ];
        let admits =
            |bound: &[&str], client: [u8; 4], port| admit(&ids(bound), Some(&known), client.into(), port);
        assert!(admits(&["sg-one"], [127, 0, 0, 1], 3306));
        assert!(!admits(&["sg-one"], [127, 0, 0, 9], 3306), "dropped before it is accepted");
        assert!(!admits(&["sg-one"], [127, 0, 0, 1], 3307), "another port");
        assert!(!admits(&["sg-one"], [10, 0, 0, 1], 3306), "no rule is about it");
        assert!(admits(&["sg-one", "sg-two"], [10, 0, 0, 1], 4000));
        assert!(
            !admits(&["sg-one", "sg-two"], [127, 0, 0, 9], 3306)
                && admits(&["sg-two", "sg-one"], [127, 0, 0, 9], 3306)
        );
        assert!(!admits(&["sg-udp"], [127, 0, 0, 1], 3306) && !admits(&["sg-gone"], [127, 0, 0, 1], 3306));
        assert!(admits(&[], [10, 0, 0, 1], 3306));
        assert!(admit(&ids(&["sg-any"]), None, [10, 0, 0, 1].into(), 3306), "nothing is known");
        assert!(admit(&ids(&["sg-one"]), Some(&known), "::ffff:127.0.0.1".parse().unwrap(), 3306));
    }

    #[test]
    fn groups_that_do_not_exist_are_refused_where_that_is_known() {
        let known = [group("sg-one", &[])];
        assert!(exist(&ids(&["sg-one"]), Some(&known)).is_ok() && exist(&ids(&["sg-two"]), None).is_ok());
        assert!(exist(&ids(&["sg-one", "sg-two"]), Some(&known)).is_err());
    }

    #[test]
    fn rules_that_cannot_be_understood_are_refused_by_member() {
        for (rule, member) in [
            (("ALLOW", "0.0.0.0/0", "ALL", "ALL"), "Action"),
            (("ACCEPT", "everywhere", "ALL", "ALL"), "CidrIp"),
            (("ACCEPT", "0.0.0.0/0", "9-1", "ALL"), "PortRange"),
            (("ACCEPT", "0.0.0.0/0", "", "ALL"), "PortRange"),
            (("ACCEPT", "0.0.0.0/0", "ALL", "SCTP"), "IpProtocol"),
        ] {
            let (action, cidr, ports, protocol) = rule;
            assert_eq!(Rule::new(action, cidr, ports, protocol).unwrap_err().member, member);
        }
    }

    proptest! {
        #[test]
        fn no_rule_panics(action: String, cidr: String, ports: String, protocol: String) {
            let _ = Rule::new(&action, &cidr, &ports, &protocol).is_ok();
            let _ = Rule::new("ACCEPT", "::/0", &ports, "TCP").is_ok();
        }

        #[test]
        fn ranges_are_what_they_say(first: u16, last: u16, port: u16) {
            let range = range(&format!("{first}-{last}"));
            prop_assert_eq!(range.is_some_and(|range| range.contains(&port)), first <= port && port <= last);
        }
    }
}
