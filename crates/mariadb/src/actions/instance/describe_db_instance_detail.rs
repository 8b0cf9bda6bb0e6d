//! `mariadb:DescribeDBInstanceDetail`: everything about one instance.

use rookery_api::mariadb::{DescribeDBInstanceDetailRequest, DescribeDBInstanceDetailResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::catalogue;
use crate::error::Error;
use crate::instances;
use crate::moments::{Moment, NEVER};
use crate::orders::signed;

pub(crate) async fn describe_db_instance_detail(
    mariadb: &MariaDb,
    call: Call<DescribeDBInstanceDetailRequest>,
) -> Result<DescribeDBInstanceDetailResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let row = mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    let (status, status_desc) = mariadb.status(&id, &row);
    let size = catalogue::sold(row.memory);
    let wan = row.network.wan(&mariadb.public);
    let zone = |zone: Option<&String>| zone.cloned().unwrap_or_default();
    let nodes_info = row.nodes_info();
    let others =
        nodes_info.iter().filter(|node| node.role == "slave").map(|node| node.zone.clone()).collect();
    let part = mariadb.part(&mariadb.of_account(scope.uin)?, &id, &row).await;
    let (replica_config, replica_status) = part.replica().unzip();
    let usage = mariadb.storage_usage(&id, &row).await?;
    Ok(DescribeDBInstanceDetailResponse {
        instance_id: id,
        instance_name: row.name.clone(),
        status,
        status_desc: status_desc.to_owned(),
        vip: row.address.ip().to_string(),
        vport: i64::from(row.address.port()),
        is_tmp: i64::from(row.temporary_until().is_some()),
        node_count: row.node_count(),
        region: scope.region,
        zone: zone(row.zones.first()),
        vpc_id: row.vpc.clone(),
        subnet_id: row.subnet.clone(),
        wan_status: wan.status,
        wan_domain: wan.domain,
        wan_vip: wan.vip,
        wan_port: wan.port,
        project_id: row.project,
        tdsql_version: mariadb.version(),
        memory: row.memory,
        storage: row.storage,
        master_zone: row.primary_node()?.zone.clone(),
        slave_zones: others,
        auto_renew_flag: i64::from(row.prepaid.is_some_and(|prepaid| prepaid.renew)),
        excluster_id: String::new(),
        pay_mode: row.pay_mode().to_owned(),
        create_time: row.created.text(),
        is_audit_supported: false,
        period_end_time: row.ends().map_or(NEVER.to_owned(), Moment::text),
        machine: catalogue::MACHINE.to_owned(),
        storage_usage: usage,
        log_storage: 0,
        is_encrypt_supported: 1,
        vip6: String::new(),
        cpu: size.cpu,
        pid: catalogue::PRODUCT,
        qps: size.qps,
        ipv6_flag: 0,
        wan_vipv6: String::new(),
        wan_status_ipv6: 0,
        wan_port_ipv6: 0,
        db_engine: "MariaDB".to_owned(),
        db_version: mariadb.version(),
        resource_tags: row.resource_tags(),
        dcn_flag: part.flag,
        dcn_status: part.status,
        dcn_dst_num: part.followers,
        instance_type: row.kind(),
        nodes_info,
        is_max_user_connections_supported: true,
        db_version_id: row.version.clone(),
        encrypt_status: i64::from(row.security.encrypts()),
        replica_config,
        replica_status,
        excluster_type: 0,
        rs_access_strategy: i64::from(row.network.nearest),
        reserved_net_resources: row.network.reserved_resources(),
        is_physical_replication_supported: false,
        is_dcn_strong_sync_supported: 0,
        is_dcn_switch_supported: 0,
        proxy_version: String::new(),
        cpu_type: "Intel/AMD".to_owned(),
        protected_property: i64::from(row.protected),
        flow_id: signed(row.flow),
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBInstanceDetailRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
