//! `mariadb:DescribeProjectSecurityGroups`: the security groups of a project. Where nothing knows which there are, those that the project's instances name.

use std::collections::BTreeMap;

use rookery_api::mariadb::{
    DescribeProjectSecurityGroupsRequest, DescribeProjectSecurityGroupsResponse, SecurityGroup,
};
use rookery_gateway::{Call, Resource};

use rookery_store::{Read as _, Scan};

use crate::MariaDb;
use crate::error::Error;
use crate::instances::{self, Instances};
use crate::ordering::product;
use crate::security_groups::{Group, describe};

pub(crate) async fn describe_project_security_groups(
    mariadb: &MariaDb,
    call: Call<DescribeProjectSecurityGroupsRequest>,
) -> Result<DescribeProjectSecurityGroupsResponse, Error> {
    let scope = instances::scope(&call);
    product(&call.request.product)?;
    let of_project = |project: i64| call.request.project_id.is_none_or(|wanted| wanted == project);
    let groups: Vec<SecurityGroup> = if let Some(known) = mariadb.known_groups(&scope.region) {
        known.iter().filter(|group| of_project(group.project)).map(Group::describe).collect()
    } else {
        let rows = mariadb.store.read(|view| view.scan::<Instances>(&scope, Scan::all()))?;
        let mut named = BTreeMap::new();
        for (_, row) in rows.iter().filter(|(_, row)| of_project(row.project)) {
            for id in &row.security_groups {
                named.entry(id.clone()).or_insert_with(|| describe(id, row, None));
            }
        }
        named.into_values().collect()
    };
    Ok(DescribeProjectSecurityGroupsResponse { total: groups.len() as u64, groups })
}

pub(crate) fn resources(_: &MariaDb, _: &Call<DescribeProjectSecurityGroupsRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
