//! `mariadb:ActivateHourDBInstance`: isolated instances run again.

use std::sync::Arc;

use rookery_api::mariadb::{ActivateHourDBInstanceRequest, ActivateHourDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::{Work, several};
use crate::instances::{self, Phase};

pub(crate) async fn activate_hour_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<ActivateHourDBInstanceRequest>,
) -> Result<ActivateHourDBInstanceResponse, Error> {
    let (scope, ids) = (instances::scope(&call), several(&call.request.instance_ids)?);
    let (success, failed) = mariadb
        .begin_each(&scope, &ids, &Work::Activate, |id, row| match row.phase {
            Phase::Isolated if !row.is_prepaid() && row.initial.is_some() => Ok(()),
            other => Err(Error::state(id, other.status(0).1)),
        })
        .await?;
    Ok(ActivateHourDBInstanceResponse { success_instance_ids: success, failed_instance_ids: failed })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ActivateHourDBInstanceRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
