//! `mariadb:DestroyHourDBInstance`: an instance that is paid by use is removed, with its data.

use std::sync::Arc;

use rookery_api::mariadb::{DestroyHourDBInstanceRequest, DestroyHourDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::Work;
use crate::instances::{self, InstanceRow};
use crate::ordering::{pay_mode, unprotected};
use crate::orders::signed;

pub(crate) async fn destroy_hour_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<DestroyHourDBInstanceRequest>,
) -> Result<DestroyHourDBInstanceResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    // Terraform destroys instances that run, without isolating them first.
    let fits = |id: &str, row: &InstanceRow| {
        if row.is_prepaid() { Err(pay_mode(id)) } else { unprotected(id, row) }
    };
    let flow = mariadb.begin(scope, vec![id.clone()], Work::Destroy, fits).await?;
    Ok(DestroyHourDBInstanceResponse { flow_id: signed(flow), instance_id: id })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DestroyHourDBInstanceRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
