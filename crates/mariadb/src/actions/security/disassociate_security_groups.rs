//! `mariadb:DisassociateSecurityGroups`: a security group is no longer bound to instances.

use rookery_api::mariadb::{DisassociateSecurityGroupsRequest, DisassociateSecurityGroupsResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::several;
use crate::instances;
use crate::ordering::{product, security_groups};

pub(crate) async fn disassociate_security_groups(
    mariadb: &MariaDb,
    call: Call<DisassociateSecurityGroupsRequest>,
) -> Result<DisassociateSecurityGroupsResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    product(&request.product)?;
    let ids = several(&request.instance_ids)?;
    let group = request.security_group_id;
    security_groups(std::slice::from_ref(&group))?;
    mariadb
        .store
        .write(move |tx| {
            for id in &ids {
                let mut row = instances::existing(tx, &scope, id)?;
                row.unlocked(id)?;
                row.security_groups.retain(|bound| *bound != group);
                instances::put(tx, &scope, id, row, now)?;
            }
            Ok(())
        })
        .await
        .map(|()| DisassociateSecurityGroupsResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DisassociateSecurityGroupsRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
