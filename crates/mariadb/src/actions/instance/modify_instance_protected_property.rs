//! `mariadb:ModifyInstanceProtectedProperty`: an instance can, or cannot, be destroyed.

use rookery_api::mariadb::{ModifyInstanceProtectedPropertyRequest, ModifyInstanceProtectedPropertyResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances::{self, Phase};

pub(crate) async fn modify_instance_protected_property(
    mariadb: &MariaDb,
    call: Call<ModifyInstanceProtectedPropertyRequest>,
) -> Result<ModifyInstanceProtectedPropertyResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let id = instances::clean(&call.request.instance_id).to_owned();
    let protected = match call.request.protected_property {
        0 => false,
        1 => true,
        _ => return Err(Error::invalid("ProtectedProperty", "must be 0 or 1")),
    };
    mariadb
        .store
        .write(move |tx| {
            let mut row = instances::existing(tx, &scope, &id)?;
            row.protected = protected;
            let now = if row.phase == Phase::Isolated { row.updated } else { now };
            instances::put(tx, &scope, &id, row, now)
        })
        .await
        .map(|()| ModifyInstanceProtectedPropertyResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyInstanceProtectedPropertyRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
