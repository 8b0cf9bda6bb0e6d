//! `mariadb:DescribeBackupTime`: the daily window of several instances.

use rookery_api::mariadb::{DBBackupTimeConfig, DescribeBackupTimeRequest, DescribeBackupTimeResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::backup::policy;
use crate::error::Error;
use crate::flows::several;
use crate::instances;

pub(crate) async fn describe_backup_time(
    mariadb: &MariaDb,
    call: Call<DescribeBackupTimeRequest>,
) -> Result<DescribeBackupTimeResponse, Error> {
    let scope = instances::scope(&call);
    let ids = several(&call.request.instance_ids)?;
    let items = mariadb.store.read(|view| {
        let window = |id: String| {
            instances::existing(view, &scope, &id)?;
            let (start_backup_time, end_backup_time) = policy::of(view, &id)?.window.texts();
            Ok::<_, Error>(DBBackupTimeConfig { instance_id: id, start_backup_time, end_backup_time })
        };
        ids.into_iter().map(window).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(DescribeBackupTimeResponse { total_count: i64::try_from(items.len()).unwrap_or(i64::MAX), items })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeBackupTimeRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
