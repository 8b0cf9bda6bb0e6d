//! `mariadb:DescribePrice`: what new instances cost, by a table of our own.

use rookery_api::mariadb::{DescribePriceRequest, DescribePriceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::catalogue;
use crate::error::Error;
use crate::ordering::prepayment;

pub(crate) async fn describe_price(
    _: &MariaDb,
    call: Call<DescribePriceRequest>,
) -> Result<DescribePriceResponse, Error> {
    let request = call.request;
    catalogue::zone(&call.region, &request.zone)?;
    catalogue::size(request.node_count, request.memory, request.storage)?;
    catalogue::cpu_type(request.cpu_type.as_deref())?;
    let count = request.count.unwrap_or(1);
    if !(1..=100).contains(&count) {
        return Err(Error::invalid("Count", "must be 1 to 100"));
    }
    let months = match request.paymode.as_deref().unwrap_or_default() {
        "postpaid" => None,
        "" | "prepaid" => Some(i64::from(prepayment(request.period)?)),
        _ => return Err(Error::invalid("Paymode", "must be `postpaid` or `prepaid`")),
    };
    let each = catalogue::price(request.node_count, request.memory, request.storage, months);
    let price = catalogue::in_unit(each * count, request.amount_unit.as_deref())?;
    Ok(DescribePriceResponse { original_price: price, price })
}

pub(crate) fn resources(_: &MariaDb, _: &Call<DescribePriceRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
