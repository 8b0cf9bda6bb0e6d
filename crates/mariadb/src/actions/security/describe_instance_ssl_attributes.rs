//! `mariadb:DescribeInstanceSSLAttributes`: whether clients may speak TLS to an instance.

use rookery_api::mariadb::{DescribeInstanceSSLAttributesRequest, DescribeInstanceSSLAttributesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_instance_ssl_attributes(
    mariadb: &MariaDb,
    call: Call<DescribeInstanceSSLAttributesRequest>,
) -> Result<DescribeInstanceSSLAttributesResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id);
    let row = mariadb.store.read(|view| instances::existing(view, &scope, id))?;
    Ok(DescribeInstanceSSLAttributesResponse { status: row.security.tls.status() })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeInstanceSSLAttributesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
