//! `mariadb:InitDBInstances`: instances that wait for it get their character set and the like, and run.

use std::sync::Arc;

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{InitDBInstancesRequest, InitDBInstancesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::{self, Work, several};
use crate::instances::{self, Phase};
use crate::ordering::initial;
use crate::orders::signed;

pub(crate) async fn init_db_instances(
    mariadb: &Arc<MariaDb>,
    call: Call<InitDBInstancesRequest>,
) -> Result<InitDBInstancesResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let ids = several(&call.request.instance_ids)?;
    let initial = initial(&call.request.params)?;
    let (place, named) = (scope.clone(), ids.clone());
    let flow = mariadb
        .store
        .write(move |tx| {
            for id in &named {
                let mut row = instances::existing(tx, &place, id)?;
                if row.flow == 0 && row.phase != Phase::Uninitialised {
                    return Err(initialised(id));
                }
                (row.sync_mode, row.initial) = (initial.sync_mode, Some(initial.clone()));
                instances::put(tx, &place, id, row, now)?;
            }
            flows::begin(tx, &place, &named, &Work::Initialise)
        })
        .await?;
    mariadb.work(flow);
    Ok(InitDBInstancesResponse { flow_id: signed(flow), instance_ids: ids })
}

fn initialised(id: &str) -> Error {
    Error::refuse(
        ErrorCode::ResourceUnavailableBadInstanceStatus,
        format!("The instance `{id}` does not wait to be initialised."),
        format!("实例 `{id}` 不处于待初始化状态。"),
    )
}

pub(crate) fn resources(_: &MariaDb, call: &Call<InitDBInstancesRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
