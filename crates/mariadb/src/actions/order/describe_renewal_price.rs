//! `mariadb:DescribeRenewalPrice`: what more months of an instance cost, by a table of our own.

use rookery_api::mariadb::{DescribeRenewalPriceRequest, DescribeRenewalPriceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::catalogue;
use crate::error::Error;
use crate::instances;
use crate::ordering::{pay_mode, prepayment};

pub(crate) async fn describe_renewal_price(
    mariadb: &MariaDb,
    call: Call<DescribeRenewalPriceRequest>,
) -> Result<DescribeRenewalPriceResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id);
    let row = mariadb.store.read(|view| instances::existing(view, &scope, id))?;
    if !row.is_prepaid() {
        return Err(pay_mode(id));
    }
    let months = i64::from(prepayment(request.period)?);
    let cents = catalogue::price(row.node_count(), row.memory, row.storage, Some(months));
    let price = catalogue::in_unit(cents, request.amount_unit.as_deref())?;
    Ok(DescribeRenewalPriceResponse { original_price: price, price })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeRenewalPriceRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
