//! `mariadb:ModifyDBInstanceName`: another name for an instance.

use rookery_api::mariadb::{ModifyDBInstanceNameRequest, ModifyDBInstanceNameResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances::{self, Phase};
use crate::ordering::instance_name;

pub(crate) async fn modify_db_instance_name(
    mariadb: &MariaDb,
    call: Call<ModifyDBInstanceNameRequest>,
) -> Result<ModifyDBInstanceNameResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let id = instances::clean(&call.request.instance_id).to_owned();
    let name = call.request.instance_name;
    instance_name(&name)?;
    let renamed = id.clone();
    mariadb
        .store
        .write(move |tx| {
            let mut row = instances::existing(tx, &scope, &renamed)?;
            if matches!(row.phase, Phase::Isolated | Phase::Deleting) {
                return Err(Error::state(&renamed, row.phase.status(0).1));
            }
            row.name.clone_from(&name);
            instances::put(tx, &scope, &renamed, row, now)
        })
        .await?;
    Ok(ModifyDBInstanceNameResponse { instance_id: id })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyDBInstanceNameRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
