//! `mariadb:CreateTmpInstances`: temporary instances with the state that instances had at a moment.

use std::sync::Arc;

use rookery_api::mariadb::{CreateTmpInstancesRequest, CreateTmpInstancesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::several;
use crate::instances;
use crate::orders::signed;

pub(crate) async fn create_tmp_instances(
    mariadb: &Arc<MariaDb>,
    call: Call<CreateTmpInstancesRequest>,
) -> Result<CreateTmpInstancesResponse, Error> {
    let scope = instances::scope(&call);
    let ids = several(&call.request.instance_ids)?;
    let flow = mariadb.create_temporary(scope, ids, &call.request.rollback_time).await?;
    Ok(CreateTmpInstancesResponse { flow_id: signed(flow) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<CreateTmpInstancesRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
