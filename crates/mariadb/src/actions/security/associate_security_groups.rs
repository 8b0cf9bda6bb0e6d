//! `mariadb:AssociateSecurityGroups`: a security group is bound to instances.

use rookery_api::mariadb::{AssociateSecurityGroupsRequest, AssociateSecurityGroupsResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::several;
use crate::instances;
use crate::ordering::{product, security_groups};
use crate::security_groups::exist;

pub(crate) async fn associate_security_groups(
    mariadb: &MariaDb,
    call: Call<AssociateSecurityGroupsRequest>,
) -> Result<AssociateSecurityGroupsResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    product(&request.product)?;
    let ids = several(&request.instance_ids)?;
    let group = request.security_group_id;
    security_groups(std::slice::from_ref(&group))?;
    exist(std::slice::from_ref(&group), mariadb.known_groups(&scope.region).as_deref())?;
    mariadb
        .store
        .write(move |tx| {
            for id in &ids {
                let mut row = instances::existing(tx, &scope, id)?;
                row.unlocked(id)?;
                if !row.security_groups.contains(&group) {
                    row.security_groups.push(group.clone());
                }
                security_groups(&row.security_groups)?;
                instances::put(tx, &scope, id, row, now)?;
            }
            Ok(())
        })
        .await
        .map(|()| AssociateSecurityGroupsResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<AssociateSecurityGroupsRequest>) -> Vec<Resource> {
    instances::resources(&call.request.instance_ids)
}
