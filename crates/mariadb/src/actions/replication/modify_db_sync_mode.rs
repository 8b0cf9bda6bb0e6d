//! `mariadb:ModifyDBSyncMode`: whether the primary is to wait for its standbys.

use std::sync::Arc;

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{ModifyDBSyncModeRequest, ModifyDBSyncModeResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::Work;
use crate::instances::{self, InstanceRow};
use crate::orders::signed;

pub(crate) async fn modify_db_sync_mode(
    mariadb: &Arc<MariaDb>,
    call: Call<ModifyDBSyncModeRequest>,
) -> Result<ModifyDBSyncModeResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let mode = call.request.sync_mode;
    if !(0..=2).contains(&mode) {
        return Err(Error::refuse(
            ErrorCode::InvalidParameterValueBadSyncMode,
            "`SyncMode` must be 0, 1 or 2.",
            "`SyncMode` 取值须为 0、1 或 2。",
        ));
    }
    let fits = move |id: &str, row: &InstanceRow| {
        row.usable(id)?;
        if mode != 0 && row.nodes.len() < 2 {
            return Err(Error::refuse(
                ErrorCode::InvalidParameterValueSyncModeNotAllowed,
                format!("The instance `{id}` has no standby to wait for."),
                format!("实例 `{id}` 没有备节点。"),
            ));
        }
        Ok(())
    };
    let flow = mariadb.begin(scope, vec![id], Work::SyncMode(mode), fits).await?;
    Ok(ModifyDBSyncModeResponse { flow_id: signed(flow) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyDBSyncModeRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
