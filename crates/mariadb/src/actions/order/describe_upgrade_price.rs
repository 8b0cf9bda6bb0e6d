//! `mariadb:DescribeUpgradePrice`: what another size of an instance costs, by a table of our own.

use rookery_api::mariadb::{DescribeUpgradePriceRequest, DescribeUpgradePriceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::catalogue;
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_upgrade_price(
    mariadb: &MariaDb,
    call: Call<DescribeUpgradePriceRequest>,
) -> Result<DescribeUpgradePriceResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id);
    let row = mariadb.store.read(|view| instances::existing(view, &scope, id))?;
    let nodes = request.node_count.filter(|count| *count != 0).unwrap_or(row.node_count());
    catalogue::size(nodes, request.memory, request.storage)?;
    // By the hour, and for an instance that is paid in advance by the month: the difference is what is paid.
    let months = row.is_prepaid().then_some(1);
    let old = catalogue::price(row.node_count(), row.memory, row.storage, months);
    let new = catalogue::price(nodes, request.memory, request.storage, months);
    let price = catalogue::in_unit((new - old).max(0), request.amount_unit.as_deref())?;
    let per = if row.is_prepaid() { "month" } else { "hour" };
    let formula = format!("max(0, new {new} - old {old}) cents for one {per}");
    Ok(DescribeUpgradePriceResponse { original_price: price, price, formula })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeUpgradePriceRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
