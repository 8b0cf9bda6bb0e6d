//! `mariadb:DescribeBinlogTime`: the moments that an instance can be restored to.

use rookery_api::mariadb::{DescribeBinlogTimeRequest, DescribeBinlogTimeResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::backup::restore::Range;
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_binlog_time(
    mariadb: &MariaDb,
    call: Call<DescribeBinlogTimeRequest>,
) -> Result<DescribeBinlogTimeResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let row = mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    let Range { from, to } = mariadb.restorable_range(&id, &row)?;
    Ok(DescribeBinlogTimeResponse { start_time: from.text(), end_time: to.text() })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeBinlogTimeRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
