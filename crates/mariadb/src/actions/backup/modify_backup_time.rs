//! `mariadb:ModifyBackupTime`: the daily window of an instance.

use rookery_api::mariadb::{ModifyBackupTimeRequest, ModifyBackupTimeResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::backup::policy::{self, Policy, Window};
use crate::error::Error;
use crate::instances;

pub(crate) async fn modify_backup_time(
    mariadb: &MariaDb,
    call: Call<ModifyBackupTimeRequest>,
) -> Result<ModifyBackupTimeResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();
    let window = Window::parse(&request.start_backup_time, &request.end_backup_time)?;
    mariadb
        .store
        .write(move |tx| {
            instances::existing(tx, &scope, &id)?.unlocked(&id)?;
            let policy = Policy { window, ..policy::of(tx, &id)? };
            policy::put(tx, &id, &policy)
        })
        .await?;
    // Clients take anything but 0 for a failure.
    Ok(ModifyBackupTimeResponse { status: 0 })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyBackupTimeRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
