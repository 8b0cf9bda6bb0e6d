//! `tag:DescribeResourceTags`: every tag that hangs on a resource, narrowed by parts of the resources' names, page by page.

use rookery_api::tag::{DescribeResourceTagsRequest, DescribeResourceTagsResponse};
use rookery_gateway::{Call, Resource};

use crate::Tags;
use crate::actions::on_all;
use crate::error::Error;
use crate::narrowing::Parts;
use crate::{paging, rules, shown};

/// Object storage is no product here, so that nothing is one of its buckets.
pub(crate) async fn describe_resource_tags(
    tags: &Tags,
    call: Call<DescribeResourceTagsRequest>,
) -> Result<DescribeResourceTagsResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    rules::creator(account, request.create_uin)?;
    if request.cos_resource_id.is_some_and(|bucket| bucket != 0) {
        return Err(Error::Parameter { parameter: "CosResourceId", rule: "must be 0" });
    }
    let parts = Parts::read(
        request.service_type,
        request.resource_prefix,
        request.resource_region,
        request.resource_id,
    )?;
    let tagged = tags.tagged(account)?.into_iter().filter(|(name, _)| parts.admit(name));
    let found = tagged
        .flat_map(|(name, tags)| {
            tags.into_iter().map(|tag| shown::on_resource(&name, tag)).collect::<Vec<_>>()
        })
        .collect();
    let page = paging::page(found, request.offset, request.limit, 1000)?;
    Ok(DescribeResourceTagsResponse {
        total_count: page.total,
        offset: page.offset,
        limit: page.limit,
        rows: page.rows,
    })
}

pub(crate) fn resources(_: &Tags, _: &Call<DescribeResourceTagsRequest>) -> Vec<Resource> {
    on_all()
}
