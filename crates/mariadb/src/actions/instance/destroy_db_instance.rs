//! `mariadb:DestroyDBInstance`: an isolated instance that was paid in advance is removed, with its data.

use std::sync::Arc;

use rookery_api::mariadb::{DestroyDBInstanceRequest, DestroyDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::Work;
use crate::instances::{self, InstanceRow, Phase};
use crate::ordering::{pay_mode, unprotected};
use crate::orders::signed;

pub(crate) async fn destroy_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<DestroyDBInstanceRequest>,
) -> Result<DestroyDBInstanceResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let fits = |id: &str, row: &InstanceRow| {
        if !row.is_prepaid() {
            return Err(pay_mode(id));
        }
        if row.phase != Phase::Isolated {
            return Err(Error::state(id, row.phase.status(0).1));
        }
        unprotected(id, row)
    };
    let flow = mariadb.begin(scope, vec![id.clone()], Work::Destroy, fits).await?;
    Ok(DestroyDBInstanceResponse { instance_id: id, flow_id: signed(flow) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DestroyDBInstanceRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
