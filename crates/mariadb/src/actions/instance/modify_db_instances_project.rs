//! `mariadb:ModifyDBInstancesProject`: instances move to another project.

use rookery_api::mariadb::{ModifyDBInstancesProjectRequest, ModifyDBInstancesProjectResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::several;
use crate::instances::{self, Phase};

pub(crate) async fn modify_db_instances_project(
    mariadb: &MariaDb,
    call: Call<ModifyDBInstancesProjectRequest>,
) -> Result<ModifyDBInstancesProjectResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let (ids, project) = (several(&call.request.instance_ids)?, call.request.project_id);
    if project < 0 {
        return Err(Error::invalid("ProjectId", "must not be negative"));
    }
    mariadb
        .store
        .write(move |tx| {
            for id in &ids {
                let mut row = instances::existing(tx, &scope, id)?;
                row.project = project;
                let now = if row.phase == Phase::Isolated { row.updated } else { now };
                instances::put(tx, &scope, id, row, now)?;
            }
            Ok(())
        })
        .await
        .map(|()| ModifyDBInstancesProjectResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyDBInstancesProjectRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
