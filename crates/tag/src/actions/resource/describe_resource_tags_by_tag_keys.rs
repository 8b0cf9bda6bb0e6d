//! `tag:DescribeResourceTagsByTagKeys`: what resources of one kind have under some keys, resource by resource.

use rookery_api::tag::{
    DescribeResourceTagsByTagKeysRequest, DescribeResourceTagsByTagKeysResponse, ResourceIdTag,
};
use rookery_gateway::{Call, Resource};

use crate::Tags;
use crate::actions::on_kind;
use crate::error::Error;
use crate::kind::Kind;
use crate::{paging, rules, shown};

/// How many resources can be asked for.
const RESOURCES: usize = 20;
/// How many of them come in a page where nothing is said, and at most.
const PAGE: u64 = 400;

/// Resources that have none of the keys are left out.
pub(crate) async fn describe_resource_tags_by_tag_keys(
    tags: &Tags,
    call: Call<DescribeResourceTagsByTagKeysRequest>,
) -> Result<DescribeResourceTagsByTagKeysResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    let kind = Kind::read(request.service_type, request.resource_prefix, request.resource_region)?;
    rules::some_keys(&request.tag_keys)?;
    let mut found = Vec::new();
    for name in kind.names(account, request.resource_ids, RESOURCES)? {
        let mut own = tags.tags_of(&name)?;
        own.retain(|(key, _)| request.tag_keys.contains(key));
        if !own.is_empty() {
            let tag_key_values = own.into_iter().map(shown::pair).collect();
            found.push(ResourceIdTag { resource_id: name.id, tag_key_values });
        }
    }
    let page = paging::page(found, request.offset, request.limit.or(Some(PAGE)), PAGE)?;
    Ok(DescribeResourceTagsByTagKeysResponse {
        total_count: page.total,
        offset: page.offset,
        limit: page.limit,
        rows: page.rows,
    })
}

pub(crate) fn resources(tags: &Tags, call: &Call<DescribeResourceTagsByTagKeysRequest>) -> Vec<Resource> {
    let request = &call.request;
    let (prefix, region) = (Some(&*request.resource_prefix), Some(&*request.resource_region));
    on_kind(tags, call.caller.account.uin, &request.service_type, prefix, region, &request.resource_ids)
}
