//! `tcr:DescribeRegions`: where instances can be made.

use rookery_api::region::{self, Support};
use rookery_api::tcr::{DescribeRegionsRequest, DescribeRegionsResponse, Region};
use rookery_gateway::{Call, Language, Resource};

use crate::Tcr;
use crate::error::Error;
use crate::moments::NEVER;

/// The regions of the catalogue. `RegionName` is the code, `Remark` the display name; when a region was opened is not known.
pub(crate) async fn describe_regions(
    _: &Tcr,
    call: Call<DescribeRegionsRequest>,
) -> Result<DescribeRegionsResponse, Error> {
    let codes = match region::support("tcr") {
        Support::Only(codes) => codes,
        Support::Regionless => &[],
    };
    let regions: Vec<Region> = codes
        .iter()
        .filter_map(|code| region::find(code))
        .zip(1..)
        .map(|(region, id)| Region {
            alias: region.short.to_owned(),
            region_id: region.id,
            region_name: region.code.to_owned(),
            status: "alluser".to_owned(),
            remark: match call.language {
                Language::English => region.english.to_owned(),
                Language::Chinese => region.chinese.to_owned(),
            },
            created_at: NEVER.to_owned(),
            updated_at: NEVER.to_owned(),
            id,
        })
        .collect();
    Ok(DescribeRegionsResponse { total_count: regions.len() as u64, regions })
}

pub(crate) fn resources(_: &Tcr, _: &Call<DescribeRegionsRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
