//! `mariadb:DescribeBackupConfigs`: when backups of an instance are taken, and how long they are kept.

use rookery_api::mariadb::{DescribeBackupConfigsRequest, DescribeBackupConfigsResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::backup::policy::{self, LongTerm};
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_backup_configs(
    mariadb: &MariaDb,
    call: Call<DescribeBackupConfigsRequest>,
) -> Result<DescribeBackupConfigsResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let policy = mariadb.store.read(|view| {
        instances::existing(view, &scope, &id)?;
        policy::of(view, &id)
    })?;
    let (start_backup_time, end_backup_time) = policy.window.texts();
    Ok(DescribeBackupConfigsResponse {
        instance_id: id,
        days: u64::from(policy.days),
        start_backup_time,
        end_backup_time,
        week_days: policy.week_days,
        // There is no colder place on one machine: archiving is off.
        archive_days: -1,
        backup_config_set: policy.long_term.iter().map(LongTerm::describe).collect(),
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeBackupConfigsRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
