//! `DescribeWhiteBoxServiceStatus`: whether there are white-box keys, which there are for everybody.

use rookery_api::kms::{DescribeWhiteBoxServiceStatusRequest, DescribeWhiteBoxServiceStatusResponse};
use rookery_gateway::{Call, Resource};

use crate::Kms;
use crate::error::Error;

pub(crate) fn resources(_: &Kms, _: &Call<DescribeWhiteBoxServiceStatusRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}

pub(crate) async fn describe_white_box_service_status(
    _: &Kms,
    _: Call<DescribeWhiteBoxServiceStatusRequest>,
) -> Result<DescribeWhiteBoxServiceStatusResponse, Error> {
    Ok(DescribeWhiteBoxServiceStatusResponse { service_enabled: true })
}
