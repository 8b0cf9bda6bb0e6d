//! `mariadb:DescribeDBSecurityGroups`: the security groups of an instance. Their rules are the network's and not known here; every connection on this machine is let in.

use rookery_api::mariadb::{
    DescribeDBSecurityGroupsRequest, DescribeDBSecurityGroupsResponse, SecurityGroup,
};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::ordering::product;

pub(crate) async fn describe_db_security_groups(
    mariadb: &MariaDb,
    call: Call<DescribeDBSecurityGroupsRequest>,
) -> Result<DescribeDBSecurityGroupsResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    product(&request.product)?;
    let row = mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    let groups = row.security_groups.iter().map(|group| SecurityGroup {
        project_id: row.project,
        create_time: row.created.text(),
        security_group_id: group.clone(),
        security_group_name: group.clone(),
        security_group_remark: String::new(),
        inbound: Vec::new(),
        outbound: Vec::new(),
    });
    Ok(DescribeDBSecurityGroupsResponse {
        groups: groups.collect(),
        vip: row.address.ip().to_string(),
        v_port: row.address.port().to_string(),
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBSecurityGroupsRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
