//! `mariadb:RestartDBInstances`: the servers of instances are stopped and started.

use std::sync::Arc;

use rookery_api::mariadb::{RestartDBInstancesRequest, RestartDBInstancesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::{Work, several};
use crate::instances;
use crate::orders::signed;

pub(crate) async fn restart_db_instances(
    mariadb: &Arc<MariaDb>,
    call: Call<RestartDBInstancesRequest>,
) -> Result<RestartDBInstancesResponse, Error> {
    let scope = instances::scope(&call);
    let ids = several(&call.request.instance_ids)?;
    if call.request.restart_time.as_deref().is_some_and(|time| !time.is_empty()) {
        return Err(Error::unsupported("restarts at a later time (`RestartTime`)"));
    }
    let flow = mariadb.begin(scope, ids, Work::Restart, |id, row| row.usable(id)).await?;
    Ok(RestartDBInstancesResponse { flow_id: signed(flow) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<RestartDBInstancesRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
