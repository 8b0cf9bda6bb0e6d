//! `mariadb:CreateHourDBInstance`: new instances that are paid by use.

use std::sync::Arc;

use rookery_api::mariadb::{CreateHourDBInstanceRequest, CreateHourDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::ordering::Order;
use crate::orders::signed;

pub(crate) async fn create_hour_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<CreateHourDBInstanceRequest>,
) -> Result<CreateHourDBInstanceResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let rollback = match (request.rollback_instance_id, request.rollback_time) {
        (Some(source), Some(time)) if !source.is_empty() && !time.is_empty() => Some((source, time)),
        (source, time) if !given(&source) && !given(&time) => None,
        _ => return Err(Error::invalid("RollbackTime", "goes together with `RollbackInstanceId`")),
    };
    let order = Order {
        absent: Vec::new(),
        source: (request.dcn_region, request.dcn_instance_id),
        source_waits: request.dcn_sync_mode,
        zones: request.zones,
        node_count: request.node_count,
        memory: request.memory,
        storage: request.storage,
        count: request.count,
        project: request.project_id,
        vpc: request.vpc_id,
        subnet: request.subnet_id,
        version: request.db_version_id,
        name: request.instance_name,
        security_groups: request.security_group_ids,
        ipv6: request.ipv6_flag,
        tags: request.resource_tags,
        init: request.init_params,
        cpu_type: request.cpu_type,
        prepaid: None,
        rollback,
    };
    let ordered = mariadb.order(scope, order).await?;
    mariadb.work(ordered.flow);
    Ok(CreateHourDBInstanceResponse {
        deal_name: ordered.deal,
        instance_ids: ordered.ids,
        flow_id: signed(ordered.flow),
    })
}

pub(crate) fn resources(_: &MariaDb, _: &Call<CreateHourDBInstanceRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
