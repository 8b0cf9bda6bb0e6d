//! `mariadb:IsolateDBInstance`: instances can no longer be reached; their data stays for some days.

use std::sync::Arc;

use rookery_api::mariadb::{IsolateDBInstanceRequest, IsolateDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::{Work, several};
use crate::instances;
use crate::ordering::pay_mode;

pub(crate) async fn isolate_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<IsolateDBInstanceRequest>,
) -> Result<IsolateDBInstanceResponse, Error> {
    let (scope, ids) = (instances::scope(&call), several(&call.request.instance_ids)?);
    let (success, failed) = mariadb
        .begin_each(&scope, &ids, &Work::Isolate, |id, row| {
            row.usable(id)?;
            if row.is_prepaid() { Ok(()) } else { Err(pay_mode(id)) }
        })
        .await?;
    Ok(IsolateDBInstanceResponse { success_instance_ids: success, failed_instance_ids: failed })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<IsolateDBInstanceRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
