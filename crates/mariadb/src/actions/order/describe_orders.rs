//! `mariadb:DescribeOrders`: orders by their names.

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{DescribeOrdersRequest, DescribeOrdersResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Account, Read};

use crate::MariaDb;
use crate::error::Error;
use crate::orders::Orders;

pub(crate) async fn describe_orders(
    mariadb: &MariaDb,
    call: Call<DescribeOrdersRequest>,
) -> Result<DescribeOrdersResponse, Error> {
    let uin = call.caller.account.uin;
    let names = call.request.deal_names;
    if names.is_empty() {
        return Err(Error::refuse(
            ErrorCode::InvalidParameterDealNameNotGiven,
            "`DealNames` must name an order.",
            "`DealNames` 不能为空。",
        ));
    }
    let mut deals = Vec::new();
    for name in names {
        let row = mariadb.store.read(|view| view.get::<Orders>(&Account { uin }, name.trim()))?;
        deals.extend(row.map(|row| row.describe(name.trim().to_owned(), uin)));
    }
    Ok(DescribeOrdersResponse { total_count: deals.len() as u64, deals })
}

pub(crate) fn resources(_: &MariaDb, _: &Call<DescribeOrdersRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
