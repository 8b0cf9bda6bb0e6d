//! `mariadb:ModifyRealServerAccessStrategy`: whether accounts that read are led to standbys in the instance's own zone first, as far as there are any.

use rookery_api::mariadb::{ModifyRealServerAccessStrategyRequest, ModifyRealServerAccessStrategyResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;

pub(crate) async fn modify_real_server_access_strategy(
    mariadb: &MariaDb,
    call: Call<ModifyRealServerAccessStrategyRequest>,
) -> Result<ModifyRealServerAccessStrategyResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let id = instances::clean(&call.request.instance_id).to_owned();
    let nearest = match call.request.rs_access_strategy {
        0 => false,
        1 => true,
        _ => return Err(Error::invalid("RsAccessStrategy", "must be 0 or 1")),
    };
    mariadb
        .store
        .write(move |tx| {
            let mut row = instances::existing(tx, &scope, &id)?;
            row.unlocked(&id)?;
            row.network.nearest = nearest;
            instances::put(tx, &scope, &id, row, now)
        })
        .await
        .map(|()| ModifyRealServerAccessStrategyResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyRealServerAccessStrategyRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
