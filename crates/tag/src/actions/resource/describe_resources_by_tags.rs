//! `tag:DescribeResourcesByTags`: the resources that pass every one of some filters by tags, page by page.

use rookery_api::tag::{DescribeResourcesByTagsRequest, DescribeResourcesByTagsResponse};
use rookery_gateway::{Call, Resource};

use crate::Tags;
use crate::actions::on_all;
use crate::error::Error;
use crate::narrowing::{self, Parts};
use crate::{paging, rules, shown};

pub(crate) async fn describe_resources_by_tags(
    tags: &Tags,
    call: Call<DescribeResourcesByTagsRequest>,
) -> Result<DescribeResourcesByTagsResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    rules::creator(account, request.create_uin)?;
    narrowing::check_filters(&request.tag_filters)?;
    let parts = Parts::read(
        request.service_type,
        request.resource_prefix,
        request.resource_region,
        request.resource_id,
    )?;
    let mut found: Vec<_> = tags.tagged(account)?.into_iter().collect();
    found.retain(|(name, tags)| {
        let passes = |filter| narrowing::passes(filter, tags);
        parts.admit(name) && request.tag_filters.iter().all(passes)
    });
    let page = paging::page(found, request.offset, request.limit, 1000)?;
    Ok(DescribeResourcesByTagsResponse {
        total_count: page.total,
        offset: page.offset,
        limit: page.limit,
        rows: page.rows.into_iter().map(|(name, tags)| shown::resource(name, tags)).collect(),
    })
}

pub(crate) fn resources(_: &Tags, _: &Call<DescribeResourcesByTagsRequest>) -> Vec<Resource> {
    on_all()
}
