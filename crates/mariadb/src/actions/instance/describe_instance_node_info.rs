//! `mariadb:DescribeInstanceNodeInfo`: the servers of an instance, with their roles.

use rookery_api::mariadb::{DescribeInstanceNodeInfoRequest, DescribeInstanceNodeInfoResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_instance_node_info(
    mariadb: &MariaDb,
    call: Call<DescribeInstanceNodeInfoRequest>,
) -> Result<DescribeInstanceNodeInfoResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id);
    let nodes = mariadb.store.read(|view| instances::existing(view, &scope, id))?.nodes_info();
    let number = |wanted: Option<u64>, default| {
        wanted.map_or(default, |wanted| usize::try_from(wanted).unwrap_or(usize::MAX))
    };
    let total_count = nodes.len() as u64;
    let page = nodes.into_iter().skip(number(request.offset, 0)).take(number(request.limit, usize::MAX));
    Ok(DescribeInstanceNodeInfoResponse { total_count, nodes_info: page.collect() })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeInstanceNodeInfoRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
