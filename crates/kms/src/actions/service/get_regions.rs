//! `GetRegions`: the regions that have the service.

use rookery_api::kms::{GetRegionsRequest, GetRegionsResponse};
use rookery_api::region::{self, Support};
use rookery_gateway::{Call, Resource};

use crate::Kms;
use crate::error::Error;

pub(crate) fn resources(_: &Kms, _: &Call<GetRegionsRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn get_regions(_: &Kms, _: Call<GetRegionsRequest>) -> Result<GetRegionsResponse, Error> {
    let regions = match region::support("kms") {
        Support::Only(codes) => codes.iter().map(|code| (*code).to_owned()).collect(),
        Support::Regionless => Vec::new(),
    };
    Ok(GetRegionsResponse { regions })
}
