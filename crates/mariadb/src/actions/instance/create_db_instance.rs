//! `mariadb:CreateDBInstance`: new instances that are paid in advance.

use std::sync::Arc;

use rookery_api::mariadb::{CreateDBInstanceRequest, CreateDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances::{self, Prepaid};
use crate::ordering::{Order, no_vouchers, prepayment};

pub(crate) async fn create_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<CreateDBInstanceRequest>,
) -> Result<CreateDBInstanceResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    let months = prepayment(request.period)?;
    no_vouchers(request.voucher_ids.as_deref(), request.auto_voucher)?;
    let renew = match request.auto_renew_flag.unwrap_or(2) {
        1 => true,
        0 | 2 => false,
        _ => return Err(Error::invalid("AutoRenewFlag", "must be 1 or 2")),
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
        prepaid: Some(Prepaid { until: now.plus_months(months), renew }),
        rollback: None,
    };
    let ordered = mariadb.order(scope, order).await?;
    mariadb.work(ordered.flow);
    Ok(CreateDBInstanceResponse { deal_name: ordered.deal, instance_ids: ordered.ids })
}

pub(crate) fn resources(_: &MariaDb, _: &Call<CreateDBInstanceRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
