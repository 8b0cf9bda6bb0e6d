//! `mariadb:CancelDcnJob`: an instance for disaster recovery follows no more, and is one like any other from then on.

use std::sync::Arc;

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{CancelDcnJobRequest, CancelDcnJobResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::Work;
use crate::instances::{self, InstanceRow};
use crate::orders::signed;

pub(crate) async fn cancel_dcn_job(
    mariadb: &Arc<MariaDb>,
    call: Call<CancelDcnJobRequest>,
) -> Result<CancelDcnJobResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let fits = |id: &str, row: &InstanceRow| {
        row.usable(id)?;
        if row.follows.is_some() {
            return Ok(());
        }
        Err(Error::refuse(
            ErrorCode::UnsupportedOperationOperationNotApplicable,
            format!("The instance `{id}` follows no other."),
            format!("实例 `{id}` 不是灾备实例。"),
        ))
    };
    let flow = mariadb.begin(scope, vec![id], Work::CancelDcn, fits).await?;
    Ok(CancelDcnJobResponse { flow_id: signed(flow) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<CancelDcnJobRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
