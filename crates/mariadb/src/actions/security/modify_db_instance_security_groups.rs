//! `mariadb:ModifyDBInstanceSecurityGroups`: exactly these security groups are bound to an instance.

use rookery_api::mariadb::{ModifyDBInstanceSecurityGroupsRequest, ModifyDBInstanceSecurityGroupsResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::ordering::{product, security_groups};
use crate::security_groups::exist;

pub(crate) async fn modify_db_instance_security_groups(
    mariadb: &MariaDb,
    call: Call<ModifyDBInstanceSecurityGroupsRequest>,
) -> Result<ModifyDBInstanceSecurityGroupsResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    product(&request.product)?;
    let groups = request.security_group_ids;
    security_groups(&groups)?;
    exist(&groups, mariadb.known_groups(&scope.region).as_deref())?;
    mariadb
        .store
        .write(move |tx| {
            let mut row = instances::existing(tx, &scope, &id)?;
            row.unlocked(&id)?;
            row.security_groups.clone_from(&groups);
            instances::put(tx, &scope, &id, row, now)
        })
        .await
        .map(|()| ModifyDBInstanceSecurityGroupsResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyDBInstanceSecurityGroupsRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
