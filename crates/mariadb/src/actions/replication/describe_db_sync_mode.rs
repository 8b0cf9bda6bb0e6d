//! `mariadb:DescribeDBSyncMode`: whether the primary waits for its standbys.

use rookery_api::mariadb::{DescribeDBSyncModeRequest, DescribeDBSyncModeResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::{Flows, Work};
use crate::instances::{self, Phase};

pub(crate) async fn describe_db_sync_mode(
    mariadb: &MariaDb,
    call: Call<DescribeDBSyncModeRequest>,
) -> Result<DescribeDBSyncModeResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let row = mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    // The mode in force is asked for where it is: a primary that gave up waiting says so.
    let waits = if row.phase == Phase::Running && row.nodes.len() > 1 {
        let mut primary = mariadb.primary(&id, &row).await?;
        let status = primary.query("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_status'").await?;
        status.first("Value") == "ON"
    } else {
        false
    };
    let changing = match mariadb.store.read(|view| view.get::<Flows>(&Global, &row.flow))? {
        Some(flow) => matches!(flow.work, Work::SyncMode(_)),
        None => false,
    };
    Ok(DescribeDBSyncModeResponse {
        sync_mode: row.sync_mode,
        is_modifying: i64::from(changing),
        current_sync_mode: i64::from(waits),
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBSyncModeRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
