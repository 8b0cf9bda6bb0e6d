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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{REGION, Scene};

    #[tokio::test]
    async fn the_regions_are_those_that_the_gateway_lets_pass() {
        let scene = Scene::new();
        let regions = get_regions(&scene.kms, scene.call(GetRegionsRequest {})).await.unwrap().regions;
        assert!(regions.iter().any(|region| region == REGION));
        assert!(regions.iter().all(|region| region::find(region).is_some()));
    }
}
