//! `mariadb:DescribeLogFileRetentionPeriod`: how many days logs are kept.

use rookery_api::mariadb::{DescribeLogFileRetentionPeriodRequest, DescribeLogFileRetentionPeriodResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_log_file_retention_period(
    mariadb: &MariaDb,
    call: Call<DescribeLogFileRetentionPeriodRequest>,
) -> Result<DescribeLogFileRetentionPeriodResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    Ok(DescribeLogFileRetentionPeriodResponse { instance_id: id, days: row.log_days })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeLogFileRetentionPeriodRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
