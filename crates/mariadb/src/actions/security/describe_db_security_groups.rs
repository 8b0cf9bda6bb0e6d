//! `mariadb:DescribeDBSecurityGroups`: the security groups of an instance, with their rules where these are known.

use rookery_api::mariadb::{DescribeDBSecurityGroupsRequest, DescribeDBSecurityGroupsResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::ordering::product;
use crate::security_groups::describe;

pub(crate) async fn describe_db_security_groups(
    mariadb: &MariaDb,
    call: Call<DescribeDBSecurityGroupsRequest>,
) -> Result<DescribeDBSecurityGroupsResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    product(&request.product)?;
    let row = mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    let known = mariadb.known_groups(&scope.region);
    let groups = row.security_groups.iter().map(|id| describe(id, &row, known.as_deref()));
    Ok(DescribeDBSecurityGroupsResponse {
        groups: groups.collect(),
        vip: row.address.ip().to_string(),
        v_port: row.address.port().to_string(),
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBSecurityGroupsRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
