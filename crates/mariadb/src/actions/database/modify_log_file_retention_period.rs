//! `mariadb:ModifyLogFileRetentionPeriod`: how many days binary logs are to be kept.

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{ModifyLogFileRetentionPeriodRequest, ModifyLogFileRetentionPeriodResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances::{self, InstanceRow};

pub(crate) async fn modify_log_file_retention_period(
    mariadb: &MariaDb,
    call: Call<ModifyLogFileRetentionPeriodRequest>,
) -> Result<ModifyLogFileRetentionPeriodResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let days = request.days;
    if !(1..=30).contains(&days) {
        return Err(Error::refuse(
            ErrorCode::InvalidParameterValueIllegalLogSaveDays,
            "`Days` must be 1 to 30.",
            "`Days` 取值须为 1 至 30。",
        ));
    }
    let alone = mariadb.lock(&id);
    let _alone = alone.lock().await;
    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    for node in &row.nodes {
        mariadb.connect(&id, node).await?.run(&format!("SET GLOBAL expire_logs_days = {days}")).await?;
    }
    let instance = id.clone();
    mariadb
        .store
        .write(move |tx| {
            let row = instances::existing(tx, &scope, &instance)?;
            instances::put(tx, &scope, &instance, InstanceRow { log_days: days, ..row }, now)
        })
        .await?;
    Ok(ModifyLogFileRetentionPeriodResponse { instance_id: id })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyLogFileRetentionPeriodRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
