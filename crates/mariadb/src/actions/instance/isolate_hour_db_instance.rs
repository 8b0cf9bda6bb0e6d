//! `mariadb:IsolateHourDBInstance`: instances can no longer be reached; their data stays for some days.

use std::sync::Arc;

use rookery_api::mariadb::{IsolateHourDBInstanceRequest, IsolateHourDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::{Work, several};
use crate::instances;
use crate::ordering::pay_mode;

pub(crate) async fn isolate_hour_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<IsolateHourDBInstanceRequest>,
) -> Result<IsolateHourDBInstanceResponse, Error> {
    let (scope, ids) = (instances::scope(&call), several(&call.request.instance_ids)?);
    let (success, failed) = mariadb
        .begin_each(&scope, &ids, &Work::Isolate, |id, row| {
            row.usable(id)?;
            if row.is_prepaid() { Err(pay_mode(id)) } else { Ok(()) }
        })
        .await?;
    Ok(IsolateHourDBInstanceResponse { success_instance_ids: success, failed_instance_ids: failed })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<IsolateHourDBInstanceRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
