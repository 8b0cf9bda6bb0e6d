//! `mariadb:ModifyBackupConfigs`: what is given is set, everything else stays.

use rookery_api::mariadb::{ModifyBackupConfigsRequest, ModifyBackupConfigsResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::backup::policy::{self, LongTerm, Window};
use crate::error::Error;
use crate::instances;

pub(crate) async fn modify_backup_configs(
    mariadb: &MariaDb,
    call: Call<ModifyBackupConfigsRequest>,
) -> Result<ModifyBackupConfigsResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();
    if request.archive_days.is_some_and(|days| days != -1) {
        return Err(Error::unsupported("moving backups to colder storage (`ArchiveDays`)"));
    }
    let days = request.days.map(policy::days).transpose()?;
    let week_days = request.week_days.as_deref().map(policy::week_days).transpose()?;
    let long_term = request.backup_config_set.map(LongTerm::of).transpose()?;
    let (start, end) = (request.start_backup_time, request.end_backup_time);
    mariadb
        .store
        .write(move |tx| {
            instances::existing(tx, &scope, &id)?.unlocked(&id)?;
            let mut policy = policy::of(tx, &id)?;
            // One end of the window may be given alone.
            let known = policy.window.texts();
            policy.window =
                Window::parse(start.as_ref().unwrap_or(&known.0), end.as_ref().unwrap_or(&known.1))?;
            policy.days = days.unwrap_or(policy.days);
            policy.week_days = week_days.clone().unwrap_or(policy.week_days);
            policy.long_term = long_term.clone().unwrap_or(policy.long_term);
            policy::put(tx, &id, &policy)
        })
        .await?;
    Ok(ModifyBackupConfigsResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyBackupConfigsRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
