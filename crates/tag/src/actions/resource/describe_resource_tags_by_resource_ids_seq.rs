//! `tag:DescribeResourceTagsByResourceIdsSeq`: the tags of resources of one kind in their order, page by page.

use rookery_api::tag::{
    DescribeResourceTagsByResourceIdsSeqRequest, DescribeResourceTagsByResourceIdsSeqResponse,
};
use rookery_gateway::{Call, Resource};

use crate::Tags;
use crate::actions::on_kind;
use crate::error::Error;
use crate::kind::{Kind, RESOURCES};
use crate::{paging, shown};

/// The resources come in the order of the request, as they do where no order is asked for.
pub(crate) async fn describe_resource_tags_by_resource_ids_seq(
    tags: &Tags,
    call: Call<DescribeResourceTagsByResourceIdsSeqRequest>,
) -> Result<DescribeResourceTagsByResourceIdsSeqResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    let kind = Kind::read(request.service_type, request.resource_prefix, request.resource_region)?;
    let mut found = Vec::new();
    for name in kind.names(account, request.resource_ids, RESOURCES)? {
        found.extend(tags.tags_of(&name)?.into_iter().map(|tag| shown::on_resource(&name, tag)));
    }
    let page = paging::page(found, request.offset, request.limit, 1000)?;
    Ok(DescribeResourceTagsByResourceIdsSeqResponse {
        total_count: page.total,
        offset: page.offset,
        limit: page.limit,
        tags: page.rows,
    })
}

pub(crate) fn resources(
    tags: &Tags,
    call: &Call<DescribeResourceTagsByResourceIdsSeqRequest>,
) -> Vec<Resource> {
    let request = &call.request;
    let (prefix, region) = (Some(&*request.resource_prefix), Some(&*request.resource_region));
    on_kind(tags, call.caller.account.uin, &request.service_type, prefix, region, &request.resource_ids)
}
