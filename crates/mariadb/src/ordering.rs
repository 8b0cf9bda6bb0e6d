//! Ordering instances: what both actions that create them check and write.

use std::collections::BTreeMap;
use std::sync::Arc;

use rookery_api::mariadb::{DBParamValue, ErrorCode, ResourceTag};
use rookery_seal::Sealed;
use rookery_store::{Read, Regional};

use crate::MariaDb;
use crate::addresses;
use crate::catalogue;
use crate::error::Error;
use crate::flows::{self, Work};
use crate::instances::{self, Initial, InstanceRow, Instances, Node, Phase, Place, Prepaid};
use crate::moments::Moment;
use crate::network::Network;
use crate::orders::{self, OrderRow};
use crate::security::Security;
use crate::server::node_memory;

/// How many instances one order may have.
const AT_ONCE: i64 = 10;
const TAGS: usize = 50;
/// The platform's versions. Whichever is asked for, the server that is installed runs.
const VERSIONS: [&str; 3] = ["10.1", "5.7", "8.0"];
const CHARSETS: [&str; 5] = ["utf8mb4", "utf8", "latin1", "gbk", "binary"];
const PAGE_SIZES: [u32; 5] = [4096, 8192, 16384, 32768, 65536];
pub(crate) const DEFAULT_PAGE_SIZE: u32 = 16384;
const LOG_DAYS: u64 = 7;

/// What is wanted, from either request.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) zones: Vec<String>,
    pub(crate) node_count: i64,
    pub(crate) memory: i64,
    pub(crate) storage: i64,
    pub(crate) count: Option<i64>,
    pub(crate) project: Option<i64>,
    pub(crate) vpc: Option<String>,
    pub(crate) subnet: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) security_groups: Option<Vec<String>>,
    pub(crate) ipv6: Option<i64>,
    pub(crate) tags: Option<Vec<ResourceTag>>,
    pub(crate) init: Option<Vec<DBParamValue>>,
    pub(crate) cpu_type: Option<String>,
    pub(crate) prepaid: Option<Prepaid>,
    /// The region and the id of the instance that it is to follow.
    pub(crate) source: (Option<String>, Option<String>),
    pub(crate) source_waits: Option<i64>,
    /// The instance and the moment that it is to begin with.
    pub(crate) rollback: Option<(String, String)>,
    /// Members that ask for what is not implemented, with whether they were given.
    pub(crate) absent: Vec<(&'static str, bool)>,
}

/// What was ordered.
#[derive(Debug)]
pub(crate) struct Ordered {
    pub(crate) deal: String,
    pub(crate) ids: Vec<String>,
    pub(crate) flow: u64,
}

impl MariaDb {
    /// Checks everything, writes the instances with their order and their flow, and begins it.
    pub(crate) async fn order(&self, scope: Regional, order: Order) -> Result<Ordered, Error> {
        let series = self.installation()?.series();
        order.check(&scope, &series)?;
        let groups = order.security_groups.as_deref().unwrap_or_default();
        crate::security_groups::exist(groups, self.known_groups(&scope.region).as_deref())?;
        let count = order.count.unwrap_or(1);
        if !(1..=AT_ONCE).contains(&count) {
            return Err(Error::refuse(
                ErrorCode::InvalidParameterValueIllegalQuantity,
                format!("`Count` must be 1 to {AT_ONCE}."),
                format!("`Count` 取值须为 1 至 {AT_ONCE}。"),
            ));
        }
        let source = self.source_for(&scope, order.source.0.as_deref(), order.source.1.as_deref())?;
        let wanted = order.init.as_ref().filter(|params| !params.is_empty()).map(|params| initial(params));
        let initial = match (wanted.transpose()?, order.prepaid) {
            (wanted, _) if source.is_some() => Some(same_as_source(wanted, source.as_ref())?),
            (Some(initial), _) => Some(initial),
            // Clients take it for a failure when a prepaid instance waits to be initialised.
            (_, Some(_)) => Some(Initial {
                charset: "utf8mb4".to_owned(),
                lower_case: true,
                page_size: DEFAULT_PAGE_SIZE,
                sync_mode: 2,
            }),
            _ => None,
        };
        let seed = match &order.rollback {
            Some((source, time)) => Some(self.seed(&scope, source, time, initial.as_ref())?),
            None => None,
        };
        let now = self.now();
        let mut instances = Vec::new();
        let mut taken: Vec<_> = self.store.read(|view| view.scan_all::<Instances>())?;
        for _ in 0..count {
            let id = self.world.identifier("tdsql-", 8);
            let used: Vec<_> = taken.iter().flat_map(|(_, _, row)| row.loopback_addresses()).collect();
            let mut row = self.row(&order, &id, initial.clone(), &used, now)?;
            row.follows = source.as_ref().map(|(place, _)| place.clone());
            let row = seed.as_ref().map_or(row.clone(), |seed| seed.begin(row));
            taken.push((scope.clone(), id.clone(), row.clone()));
            instances.push((id, row));
        }
        let limits = (self.limits.processes, self.limits.memory);
        let prepaid = order.prepaid.is_some();
        self.store
            .write(move |tx| {
                let rows = tx.scan_all::<Instances>()?;
                room(rows.iter().map(|(_, _, row)| row).chain(instances.iter().map(|(_, row)| row)), limits)?;
                for (id, row) in &instances {
                    let row = row.clone().numbered(flows::count(tx, "instance")?);
                    tx.put::<Instances>(&scope, id, &row)?;
                }
                let ids: Vec<String> = instances.iter().map(|(id, _)| id.clone()).collect();
                let flow = flows::begin(tx, &scope, &ids, &Work::Create)?;
                let row = OrderRow { count, flow, instances: Some(ids.clone()), prepaid };
                let deal = orders::place(tx, scope.uin, now, &row)?;
                Ok(Ordered { deal, ids, flow })
            })
            .await
    }

    pub(crate) fn row(
        &self,
        order: &Order,
        id: &str,
        initial: Option<Initial>,
        taken: &[std::net::SocketAddr],
        now: Moment,
    ) -> Result<InstanceRow, Error> {
        let [address, servers @ ..] = addresses::block(&self.world, taken)?;
        let count = usize::try_from(order.node_count).unwrap_or_default();
        let nodes = servers.into_iter().take(count).zip(1..).map(|(address, server_id)| Node {
            id: hex::encode(&self.world.uuid().into_bytes()[..6]),
            server_id,
            address,
            zone: zone_of(&order.zones, server_id),
        });
        Ok(InstanceRow {
            number: 0,
            name: order.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_owned()),
            phase: Phase::Creating,
            flow: 0,
            created: now,
            updated: now,
            prepaid: order.prepaid,
            project: order.project.unwrap_or_default(),
            vpc: order.vpc.clone().unwrap_or_default(),
            subnet: order.subnet.clone().unwrap_or_default(),
            zones: order.zones.clone(),
            memory: order.memory,
            storage: order.storage,
            version: order.version.clone().filter(|version| !version.is_empty()).unwrap_or("10.1".to_owned()),
            tags: order
                .tags
                .iter()
                .flatten()
                .map(|tag| (tag.tag_key.clone(), tag.tag_value.clone()))
                .collect(),
            security_groups: order.security_groups.clone().unwrap_or_default(),
            sync_mode: initial.as_ref().map_or(2, |initial| initial.sync_mode),
            initial,
            protected: false,
            address,
            nodes: nodes.collect(),
            primary: 0,
            parameters: BTreeMap::new(),
            log_days: LOG_DAYS,
            replication: self.replication_secret(id)?,
            follows: None,
            security: Security::default(),
            network: Network::default(),
            origin: None,
        })
    }

    fn replication_secret(&self, id: &str) -> Result<Sealed, Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| Error::Inconsistent("the system gives no randomness"))?;
        Ok(self.seal.seal(&crate::replication_context(id), hex::encode(random).as_bytes())?)
    }
}

impl InstanceRow {
    /// The row with its number. Servers of instances that follow each other must differ, so theirs are made of it.
    fn numbered(mut self, number: u64) -> Self {
        self.number = number;
        for (node, count) in self.nodes.iter_mut().zip(1..) {
            node.server_id = u32::try_from(number * 4 + count).unwrap_or(node.server_id);
        }
        self
    }
}

/// An instance that follows another begins with a copy of it, and so with its initial parameters.
fn same_as_source(wanted: Option<Initial>, source: Option<&(Place, InstanceRow)>) -> Result<Initial, Error> {
    let has = source
        .and_then(|(_, row)| row.initial.clone())
        .ok_or(Error::Inconsistent("a source is not initialised"))?;
    match wanted {
        Some(wanted) if Initial { sync_mode: has.sync_mode, ..wanted.clone() } != has => Err(Error::refuse(
            ErrorCode::InvalidParameterValueIllegalInitParam,
            "The initial parameters of an instance for disaster recovery are those of the instance that it follows.",
            "灾备实例的初始化参数须与主实例一致。",
        )),
        Some(wanted) => Ok(wanted),
        None => Ok(has),
    }
}

/// The zone of the n-th server, counted from 1: the last that was named counts for all that follow.
fn zone_of(zones: &[String], server: u32) -> String {
    let at = usize::try_from(server).unwrap_or(1) - 1;
    zones.get(at).or(zones.last()).cloned().unwrap_or_default()
}

/// Refuses what would exceed the limits, counting instances that wait to be initialised as well.
pub(crate) fn room<'r>(
    rows: impl Iterator<Item = &'r InstanceRow>,
    (servers, memory): (usize, u64),
) -> Result<(), Error> {
    let (mut count, mut bytes) = (0, 0);
    for row in rows {
        count += row.nodes.len();
        bytes += row.nodes.len() as u64 * node_memory(row.memory);
    }
    if count <= servers && bytes <= memory {
        return Ok(());
    }
    let (bytes, memory) = (bytes >> 20, memory >> 20);
    Err(Error::refuse(
        ErrorCode::ResourceInsufficient,
        format!(
            "With this there would be {count} servers with {bytes} MB of memory, of {servers} with {memory} MB that this cloud may have."
        ),
        format!("数据库节点将达 {count} 个、内存 {bytes} MB，超过上限 {servers} 个、{memory} MB。"),
    ))
}

/// Refuses the size that an instance is to have, if there is no room for it.
fn room_to_grow(read: &impl Read, id: &str, memory: i64, limits: (usize, u64)) -> Result<(), Error> {
    let mut rows = read.scan_all::<Instances>()?;
    for (_, _, row) in rows.iter_mut().filter(|(_, known, _)| known == id) {
        row.memory = memory;
    }
    room(rows.iter().map(|(_, _, row)| row), limits)
}

impl Order {
    fn check(&self, scope: &Regional, series: &str) -> Result<(), Error> {
        if let Some((what, _)) = self.absent.iter().find(|(_, given)| *given) {
            return Err(Error::unsupported(what));
        }
        if self.zones.is_empty()
            || self.zones.len() > usize::try_from(self.node_count).unwrap_or_default().max(1)
        {
            return Err(Error::invalid("Zones", "must name a zone for each node, or fewer"));
        }
        self.zones.iter().try_for_each(|zone| catalogue::zone(&scope.region, zone))?;
        catalogue::size(self.node_count, self.memory, self.storage)?;
        catalogue::cpu_type(self.cpu_type.as_deref())?;
        if let Some(version) = self.version.as_deref().filter(|version| !version.is_empty())
            && version != series
            && !VERSIONS.contains(&version)
        {
            return Err(Error::refuse(
                ErrorCode::UnsupportedOperationDbVersionNotSupported,
                format!("The version `{version}` is not among {series}, {}.", VERSIONS.join(", ")),
                format!("不支持版本 `{version}`，可选：{series}、{}。", VERSIONS.join("、")),
            ));
        }
        if self.ipv6.unwrap_or_default() != 0 {
            return Err(Error::unsupported("addresses of IPv6 (`Ipv6Flag`)"));
        }
        if !matches!(self.source_waits, None | Some(0)) {
            return Err(Error::unsupported("a primary that waits for another instance (`DcnSyncMode` 1)"));
        }
        if self.project.is_some_and(|project| project < 0) {
            return Err(Error::invalid("ProjectId", "must not be negative"));
        }
        if self.vpc.as_deref().is_some_and(|vpc| !vpc.is_empty())
            != self.subnet.as_deref().is_some_and(|subnet| !subnet.is_empty())
        {
            return Err(Error::invalid("SubnetId", "goes together with `VpcId`"));
        }
        if let Some(name) = self.name.as_deref().filter(|name| !name.is_empty()) {
            instance_name(name)?;
        }
        let tags = self.tags.as_deref().unwrap_or_default();
        let repeated = tags.iter().enumerate().any(|(at, tag)| {
            tag.tag_key.is_empty() || tags.iter().take(at).any(|other| other.tag_key == tag.tag_key)
        });
        if tags.len() > TAGS || repeated {
            return Err(Error::invalid("ResourceTags", "must have at most 50 tags with distinct keys"));
        }
        security_groups(self.security_groups.as_deref().unwrap_or_default())
    }
}

/// Ids of security groups are `sg-` and eight characters. Which groups exist, [`crate::security_groups`] asks.
pub(crate) fn security_groups(ids: &[String]) -> Result<(), Error> {
    let formed = |id: &String| {
        id.strip_prefix("sg-")
            .is_some_and(|rest| rest.len() == 8 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let repeated = ids.iter().enumerate().any(|(at, id)| ids.iter().take(at).any(|other| other == id));
    if ids.len() <= 5 && !repeated && ids.iter().all(formed) {
        return Ok(());
    }
    Err(Error::refuse(
        ErrorCode::InvalidParameterSGCheckFail,
        "Security groups are at most five different ids of the form `sg-xxxxxxxx`.",
        "安全组最多五个，ID 形如 `sg-xxxxxxxx` 且不能重复。",
    ))
}

/// How many months are paid for in advance.
pub(crate) fn prepayment(period: Option<i64>) -> Result<u32, Error> {
    let months = u32::try_from(period.unwrap_or(1)).ok().filter(|months| (1..=60).contains(months));
    months.ok_or_else(|| Error::invalid("Period", "must be 1 to 60 months"))
}

/// Nobody has vouchers here: naming one is a mistake, taking one that is not there is none.
pub(crate) fn no_vouchers(named: Option<&[String]>, _automatic: Option<bool>) -> Result<(), Error> {
    if named.is_some_and(|named| !named.is_empty()) {
        return Err(Error::refuse(
            ErrorCode::FailedOperationPayFailed,
            "The voucher does not exist.",
            "代金券不存在。",
        ));
    }
    Ok(())
}

/// The action is for the other way of paying.
pub(crate) fn pay_mode(id: &str) -> Error {
    Error::refuse(
        ErrorCode::InvalidParameterNotSupportedPayMode,
        format!("The instance `{id}` is paid in another way than this action is for."),
        format!("实例 `{id}` 的付费模式不支持该操作。"),
    )
}

/// Refuses an instance that is protected from being destroyed.
pub(crate) fn unprotected(id: &str, row: &InstanceRow) -> Result<(), Error> {
    if !row.protected {
        return Ok(());
    }
    Err(Error::refuse(
        ErrorCode::FailedOperationInstanceCanNotReturn,
        format!("Deletion protection is on for the instance `{id}`."),
        format!("实例 `{id}` 已开启删除保护。"),
    ))
}

/// Changes are made at once, and no server moves.
pub(crate) fn immediately(
    window: [Option<&str>; 2],
    retry: Option<i64>,
    zones: Option<&[String]>,
) -> Result<(), Error> {
    if window.iter().flatten().any(|time| !time.is_empty()) || retry.is_some_and(|retry| retry != 0) {
        return Err(Error::unsupported("changes at a later time (`SwitchStartTime` and its kin)"));
    }
    if zones.is_some_and(|zones| !zones.is_empty()) {
        return Err(Error::unsupported("moving an instance to other zones (`Zones`)"));
    }
    Ok(())
}

/// `Product` of the actions of security groups, whose names other products have as well.
pub(crate) fn product(name: &str) -> Result<(), Error> {
    if name == "mariadb" { Ok(()) } else { Err(Error::invalid("Product", "must be `mariadb`")) }
}

impl MariaDb {
    /// Gives an instance another size; the name of the order.
    pub(crate) async fn upgrade(
        self: &Arc<Self>,
        scope: Regional,
        id: String,
        memory: i64,
        storage: i64,
        prepaid: bool,
    ) -> Result<String, Error> {
        let (now, limits) = (self.now(), (self.limits.processes, self.limits.memory));
        let (deal, flow) = self
            .store
            .write(move |tx| {
                let row = instances::usable(tx, &scope, &id)?;
                if row.is_prepaid() != prepaid {
                    return Err(pay_mode(&id));
                }
                catalogue::size(row.node_count(), memory, storage)?;
                if storage < row.storage {
                    return Err(Error::invalid("Storage", "must not shrink"));
                }
                room_to_grow(tx, &id, memory, limits)?;
                let work = Work::Resize { memory, storage };
                let flow = flows::begin(tx, &scope, std::slice::from_ref(&id), &work)?;
                let order = OrderRow { count: 1, flow, instances: None, prepaid };
                Ok((orders::place(tx, scope.uin, now, &order)?, flow))
            })
            .await?;
        self.work(flow);
        Ok(deal)
    }
}

/// Letters of any script, digits, `_` and `-`.
pub(crate) fn instance_name(name: &str) -> Result<(), Error> {
    let fits = (1..=60).contains(&name.chars().count())
        && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-'));
    if fits {
        return Ok(());
    }
    Err(Error::refuse(
        ErrorCode::InvalidParameterValueInstanceNameIllegal,
        "The instance name must be 1 to 60 letters, digits, `_` and `-`.",
        "实例名称须为 1 到 60 个字母、数字、中文、`_` 或 `-`。",
    ))
}

/// What an instance is initialised with.
pub(crate) fn initial(params: &[DBParamValue]) -> Result<Initial, Error> {
    let bad = |what: &str| {
        Error::refuse(
            ErrorCode::InvalidParameterValueIllegalInitParam,
            format!("The initial parameter {what}."),
            format!("初始化参数错误：{what}。"),
        )
    };
    let (mut charset, mut lower_case) = (None, None);
    let (mut page_size, mut sync_mode) = (DEFAULT_PAGE_SIZE, 2);
    for DBParamValue { param, value } in params {
        match param.as_str() {
            "character_set_server" if CHARSETS.contains(&value.as_str()) => charset = Some(value.clone()),
            "lower_case_table_names" if matches!(value.as_str(), "0" | "1") => {
                lower_case = Some(value == "1");
            }
            "innodb_page_size" => match value.parse() {
                Ok(size) if PAGE_SIZES.contains(&size) => page_size = size,
                _ => return Err(bad("`innodb_page_size` must be 4096, 8192, 16384, 32768 or 65536")),
            },
            "sync_mode" => match value.parse() {
                Ok(mode @ 0..=2) => sync_mode = mode,
                _ => return Err(bad("`sync_mode` must be 0, 1 or 2")),
            },
            "character_set_server" | "lower_case_table_names" => {
                return Err(bad(&format!("`{param}` has an unknown value")));
            }
            _ => return Err(bad(&format!("`{param}` is unknown"))),
        }
    }
    match (charset, lower_case) {
        (Some(charset), Some(lower_case)) => Ok(Initial { charset, lower_case, page_size, sync_mode }),
        (None, _) => Err(bad("`character_set_server` is missing")),
        (_, None) => Err(bad("`lower_case_table_names` is missing")),
    }
}

#[cfg(test)]
mod tests {
    use rookery_gateway::Refusal as _;

    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Vec<DBParamValue> {
        pairs
            .iter()
            .map(|(param, value)| DBParamValue { param: (*param).to_owned(), value: (*value).to_owned() })
            .collect()
    }

    #[test]
    fn initial_parameters_are_complete_and_known() {
        let good = initial(&params(&[("character_set_server", "utf8mb4"), ("lower_case_table_names", "1")]))
            .unwrap();
        assert_eq!((good.page_size, good.sync_mode, good.lower_case), (16384, 2, true));
        for bad in [
            params(&[("character_set_server", "utf8mb4")]),
            params(&[("lower_case_table_names", "0")]),
            params(&[("character_set_server", "klingon"), ("lower_case_table_names", "1")]),
            params(&[("character_set_server", "utf8"), ("lower_case_table_names", "2")]),
            params(&[("innodb_page_size", "5")]),
            params(&[("sync_mode", "3")]),
            params(&[("colour", "red")]),
        ] {
            assert_eq!(initial(&bad).unwrap_err().code(), ErrorCode::InvalidParameterValueIllegalInitParam);
        }
    }

    #[test]
    fn names_and_groups_have_their_form() {
        assert!(instance_name("数据库_1-a").is_ok());
        for bad in ["", "a b", "a;b", &"x".repeat(61)] {
            assert!(instance_name(bad).is_err());
        }
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert!(security_groups(&ids(&["sg-abcd1234"])).is_ok());
        for bad in [ids(&["sg-1"]), ids(&["sg-abcd1234", "sg-abcd1234"]), ids(&["vpc-abcd1234"])] {
            assert!(security_groups(&bad).is_err());
        }
    }
}
