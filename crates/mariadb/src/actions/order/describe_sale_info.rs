//! `mariadb:DescribeSaleInfo`: the regions and zones on sale, by a table of our own.

use rookery_api::mariadb::{DescribeSaleInfoRequest, DescribeSaleInfoResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::catalogue;
use crate::error::Error;

pub(crate) async fn describe_sale_info(
    _: &MariaDb,
    call: Call<DescribeSaleInfoRequest>,
) -> Result<DescribeSaleInfoResponse, Error> {
    Ok(DescribeSaleInfoResponse { region_list: catalogue::regions(call.language) })
}

pub(crate) fn resources(_: &MariaDb, _: &Call<DescribeSaleInfoRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
