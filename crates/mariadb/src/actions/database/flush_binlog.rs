//! `mariadb:FlushBinlog`: the primary begins a new binary log.

use rookery_api::mariadb::{FlushBinlogRequest, FlushBinlogResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;

pub(crate) async fn flush_binlog(
    mariadb: &MariaDb,
    call: Call<FlushBinlogRequest>,
) -> Result<FlushBinlogResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    mariadb.primary(&id, &row).await?.run("FLUSH BINARY LOGS").await?;
    Ok(FlushBinlogResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<FlushBinlogRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
