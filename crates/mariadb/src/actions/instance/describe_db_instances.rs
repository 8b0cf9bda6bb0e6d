//! `mariadb:DescribeDBInstances`: the caller's instances in the call's region.

use rookery_api::mariadb::{DBInstance, DescribeDBInstancesRequest, DescribeDBInstancesResponse, Tag};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::MariaDb;
use crate::catalogue;
use crate::dcn::Part;
use crate::error::Error;
use crate::instances::{self, InstanceRow, Instances};
use crate::moments::{Moment, NEVER};
use crate::orders::signed;

pub(crate) async fn describe_db_instances(
    mariadb: &MariaDb,
    call: Call<DescribeDBInstancesRequest>,
) -> Result<DescribeDBInstancesResponse, Error> {
    let (scope, account) = (instances::scope(&call), call.caller.account);
    let request = call.request;
    let (offset, limit) = page(request.offset, request.limit)?;
    let mut found = mariadb.store.read(|view| view.scan::<Instances>(&scope, Scan::all()))?;
    let search = Search::new(request.search_name.as_deref(), request.search_key.as_deref())?;
    let status = |id: &String, row: &InstanceRow| mariadb.status(id, row).0;
    found.retain(|(id, row)| {
        search.finds(id, row)
            && of(request.instance_ids.as_deref(), |wanted| instances::clean(wanted) == id)
            && of(request.project_ids.as_deref(), |wanted| *wanted == row.project)
            && of(request.origin_serial_ids.as_deref(), |wanted| *wanted == serial(row))
            && of(request.status.as_deref(), |wanted| *wanted == status(id, row))
            && !request.exclude_status.iter().flatten().any(|wanted| *wanted == status(id, row))
            && of(request.tag_keys.as_deref(), |key| row.tags.iter().any(|(known, _)| known == key))
            && of(request.tags.as_deref(), |tag| tagged(row, tag))
    });
    if request.is_filter_vpc.unwrap_or(false) {
        let same = |wanted: &Option<String>, is: &str| wanted.as_deref().unwrap_or_default() == is;
        found.retain(|(_, row)| same(&request.vpc_id, &row.vpc) && same(&request.subnet_id, &row.subnet));
    }
    let kinds = request.filter_instance_type.as_deref().unwrap_or_default();
    let only_dedicated = request.is_filter_excluster.unwrap_or(false) && request.excluster_type == Some(2);
    found.retain(|(_, row)| {
        kinds.is_empty() || kinds.split(',').any(|kind| kind.trim() == row.kind().to_string())
    });
    // Nothing here makes a dedicated cluster.
    if only_dedicated || request.excluster_ids.is_some_and(|ids| !ids.is_empty()) {
        found.clear();
    }
    sort(&mut found, request.order_by.as_deref(), request.order_by_type.as_deref())?;
    let total_count = found.len() as u64;
    let of_account = mariadb.of_account(scope.uin)?;
    let mut instances = Vec::new();
    for (id, row) in found.into_iter().skip(offset).take(limit) {
        let part = mariadb.part(&of_account, &id, &row).await;
        instances.push(mariadb.describe(&scope, account, (id, row), part));
    }
    Ok(DescribeDBInstancesResponse { total_count, instances })
}

/// An absent or empty list lets everything through.
fn of<T>(wanted: Option<&[T]>, is: impl Fn(&T) -> bool) -> bool {
    wanted.is_none_or(|wanted| wanted.is_empty() || wanted.iter().any(is))
}

fn tagged(row: &InstanceRow, tag: &Tag) -> bool {
    let same = |wanted: &Option<String>, is: &String| wanted.as_ref().is_none_or(|wanted| wanted == is);
    row.tags.iter().any(|(key, value)| same(&tag.tag_key, key) && same(&tag.tag_value, value))
}

/// `OriginSerialId`, which the platform calls obsolete.
fn serial(row: &InstanceRow) -> String {
    format!("set_{}_{}", row.created.0, row.number)
}

fn page(offset: Option<i64>, limit: Option<i64>) -> Result<(usize, usize), Error> {
    let limit = limit.filter(|limit| *limit != 0).unwrap_or(20);
    match (usize::try_from(offset.unwrap_or_default()), usize::try_from(limit)) {
        (Ok(offset), Ok(limit)) if limit <= 100 => Ok((offset, limit)),
        _ => Err(Error::invalid("Limit", "must be 1 to 100, and `Offset` not negative")),
    }
}

/// `SearchName` and `SearchKey`.
struct Search {
    name: bool,
    address: bool,
    id: bool,
    keys: Vec<String>,
}

impl Search {
    fn new(by: Option<&str>, keys: Option<&str>) -> Result<Self, Error> {
        let keys =
            keys.unwrap_or_default().lines().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
        let (name, address, id) = match by.unwrap_or("all") {
            "" | "all" => (true, true, true),
            "instancename" => (true, false, false),
            "vip" => (false, true, false),
            _ => return Err(Error::invalid("SearchName", "must be `instancename`, `vip` or `all`")),
        };
        Ok(Self { name, address, id, keys: keys.collect() })
    }

    fn finds(&self, id: &str, row: &InstanceRow) -> bool {
        let address = row.address.ip().to_string();
        let found = |key: &String| {
            (self.name && row.name.contains(key))
                || (self.address && address.contains(key))
                || (self.id && id.contains(key))
        };
        self.keys.is_empty() || self.keys.iter().any(found)
    }
}

fn sort(found: &mut [(String, InstanceRow)], by: Option<&str>, order: Option<&str>) -> Result<(), Error> {
    // The youngest first where nothing is said.
    match by.unwrap_or("createtime") {
        "" | "createtime" => found.sort_by_key(|(_, row)| row.number),
        "projectId" => found.sort_by_key(|(_, row)| (row.project, row.number)),
        "instancename" => found.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name)),
        _ => return Err(Error::invalid("OrderBy", "must be `projectId`, `createtime` or `instancename`")),
    }
    match order.unwrap_or("desc") {
        "asc" => {}
        "" | "desc" => found.reverse(),
        _ => return Err(Error::invalid("OrderByType", "must be `asc` or `desc`")),
    }
    Ok(())
}

impl MariaDb {
    fn describe(
        &self,
        scope: &rookery_store::Regional,
        account: rookery_gateway::Account,
        (id, row): (String, InstanceRow),
        part: Part,
    ) -> DBInstance {
        let (status, status_desc) = self.status(&id, &row);
        let size = catalogue::sold(row.memory);
        let wan = row.network.wan(&self.public);
        DBInstance {
            instance_id: id,
            app_id: signed(account.app_id),
            project_id: row.project,
            region: scope.region.clone(),
            zone: row.zones.first().cloned().unwrap_or_default(),
            vpc_id: 0,
            subnet_id: 0,
            status,
            vip: row.address.ip().to_string(),
            vport: i64::from(row.address.port()),
            wan_domain: wan.domain,
            wan_vip: wan.vip,
            wan_port: wan.port,
            create_time: row.created.text(),
            update_time: row.updated.text(),
            auto_renew_flag: i64::from(row.prepaid.is_some_and(|prepaid| prepaid.renew)),
            period_end_time: row.ends().map_or(NEVER.to_owned(), Moment::text),
            uin: account.uin.to_string(),
            tdsql_version: self.version(),
            memory: row.memory,
            storage: row.storage,
            unique_vpc_id: row.vpc.clone(),
            unique_subnet_id: row.subnet.clone(),
            origin_serial_id: serial(&row),
            node_count: row.nodes.len() as u64,
            is_tmp: u64::from(row.temporary_until().is_some()),
            excluster_id: String::new(),
            id: row.number,
            pid: catalogue::PRODUCT,
            qps: size.qps,
            paymode: row.pay_mode().to_owned(),
            locker: signed(row.flow),
            status_desc: status_desc.to_owned(),
            wan_status: wan.status,
            is_audit_supported: 0,
            machine: catalogue::MACHINE.to_owned(),
            is_encrypt_supported: 1,
            cpu: size.cpu,
            ipv6_flag: 0,
            vipv6: String::new(),
            wan_vipv6: String::new(),
            wan_port_ipv6: 0,
            wan_status_ipv6: 0,
            db_engine: "MariaDB".to_owned(),
            db_version: self.version(),
            dcn_flag: part.flag,
            dcn_status: part.status,
            dcn_dst_num: part.followers,
            instance_type: row.kind(),
            resource_tags: row.resource_tags(),
            db_version_id: row.version,
            instance_name: row.name,
            protected_property: i64::from(row.protected),
        }
    }
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBInstancesRequest>) -> Vec<Resource> {
    instances::resources(call.request.instance_ids.as_deref().unwrap_or_default())
}
