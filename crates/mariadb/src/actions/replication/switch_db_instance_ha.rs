//! `mariadb:SwitchDBInstanceHA`: a standby becomes the primary.

use std::sync::Arc;

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{SwitchDBInstanceHARequest, SwitchDBInstanceHAResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::Work;
use crate::instances::{self, InstanceRow};
use crate::orders::signed;

pub(crate) async fn switch_db_instance_ha(
    mariadb: &Arc<MariaDb>,
    call: Call<SwitchDBInstanceHARequest>,
) -> Result<SwitchDBInstanceHAResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();
    let avoid = match request.zone_mode.as_deref().unwrap_or("target") {
        "" | "target" => false,
        "avoid" => true,
        _ => return Err(Error::invalid("ZoneMode", "must be `target` or `avoid`")),
    };
    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let to = successor(&row, &request.zone, avoid).ok_or_else(|| {
        Error::refuse(
            ErrorCode::InvalidParameterValueIllegalZone,
            format!("No standby of the instance `{id}` can take over by the zone `{}`.", request.zone),
            format!("实例 `{id}` 没有符合可用区 `{}` 的备节点。", request.zone),
        )
    })?;
    let primary = row.primary;
    let fits = move |id: &str, row: &InstanceRow| {
        row.usable(id)?;
        if row.primary == primary { Ok(()) } else { Err(Error::state(id, "switched meanwhile")) }
    };
    let flow = mariadb.begin(scope, vec![id], Work::Switch { to }, fits).await?;
    Ok(SwitchDBInstanceHAResponse { flow_id: signed(flow) })
}

/// The first standby in the zone, or outside it.
fn successor(row: &InstanceRow, zone: &str, avoid: bool) -> Option<usize> {
    let standbys = row.standbys();
    standbys.into_iter().find(|(_, node)| (node.zone == zone) != avoid).map(|(at, _)| at)
}

pub(crate) fn resources(_: &MariaDb, call: &Call<SwitchDBInstanceHARequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
