//! `mariadb:UpgradeHourDBInstance`: another size for an instance that is paid by use.

use std::sync::Arc;

use rookery_api::mariadb::{UpgradeHourDBInstanceRequest, UpgradeHourDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::ordering::immediately;

pub(crate) async fn upgrade_hour_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<UpgradeHourDBInstanceRequest>,
) -> Result<UpgradeHourDBInstanceResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();
    let window = [request.switch_start_time.as_deref(), request.switch_end_time.as_deref()];
    immediately(window, request.switch_auto_retry, request.zones.as_deref())?;
    mariadb.upgrade(scope, id, request.memory, request.storage, false).await?;
    Ok(UpgradeHourDBInstanceResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<UpgradeHourDBInstanceRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
