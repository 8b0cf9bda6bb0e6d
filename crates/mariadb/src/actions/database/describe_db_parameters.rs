//! `mariadb:DescribeDBParameters`: the parameters that may be set, with what the server says of each.

use rookery_api::mariadb::{DescribeDBParametersRequest, DescribeDBParametersResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::parameters;

pub(crate) async fn describe_db_parameters(
    mariadb: &MariaDb,
    call: Call<DescribeDBParametersRequest>,
) -> Result<DescribeDBParametersResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let mut server = mariadb.primary(&id, &row).await?;
    let known = parameters::read(&mut server).await?;
    let params = known.into_iter().map(|parameter| parameter.describe(&row.parameters)).collect();
    Ok(DescribeDBParametersResponse { instance_id: id, params })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBParametersRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
