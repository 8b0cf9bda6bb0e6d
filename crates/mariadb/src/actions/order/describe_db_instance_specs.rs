//! `mariadb:DescribeDBInstanceSpecs`: the sizes on sale, by a table of our own.

use rookery_api::mariadb::{DescribeDBInstanceSpecsRequest, DescribeDBInstanceSpecsResponse, InstanceSpec};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::catalogue;
use crate::error::Error;

pub(crate) async fn describe_db_instance_specs(
    _: &MariaDb,
    call: Call<DescribeDBInstanceSpecsRequest>,
) -> Result<DescribeDBInstanceSpecsResponse, Error> {
    catalogue::cpu_type(call.request.cpu_type.as_deref())?;
    let spec = InstanceSpec { machine: catalogue::MACHINE.to_owned(), spec_infos: catalogue::specs() };
    Ok(DescribeDBInstanceSpecsResponse { specs: vec![spec] })
}

pub(crate) fn resources(_: &MariaDb, _: &Call<DescribeDBInstanceSpecsRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
