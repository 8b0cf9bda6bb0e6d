//! `mariadb:UpgradeDBInstance`: another size for an instance that is paid in advance.

use std::sync::Arc;

use rookery_api::mariadb::{UpgradeDBInstanceRequest, UpgradeDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::ordering::{immediately, no_vouchers};

pub(crate) async fn upgrade_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<UpgradeDBInstanceRequest>,
) -> Result<UpgradeDBInstanceResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();
    let window = [request.switch_start_time.as_deref(), request.switch_end_time.as_deref()];
    immediately(window, request.switch_auto_retry, request.zones.as_deref())?;
    no_vouchers(request.voucher_ids.as_deref(), request.auto_voucher)?;
    let deal_name = mariadb.upgrade(scope, id, request.memory, request.storage, true).await?;
    Ok(UpgradeDBInstanceResponse { deal_name })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<UpgradeDBInstanceRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
