//! `tag:DescribeTagKeys`: the keys, page by page.

use rookery_api::tag::{DescribeTagKeysRequest, DescribeTagKeysResponse};
use rookery_gateway::{Call, Resource};

use crate::Tags;
use crate::actions::on_all;
use crate::error::Error;
use crate::{paging, rules};

pub(crate) async fn describe_tag_keys(
    tags: &Tags,
    call: Call<DescribeTagKeysRequest>,
) -> Result<DescribeTagKeysResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    rules::creator(account, request.create_uin)?;
    rules::show_project(request.show_project)?;
    let custom = rules::shows_custom(request.category.as_deref())?;
    let mut keys: Vec<_> = tags.pairs(account)?.into_keys().map(|(key, _)| key).filter(|_| custom).collect();
    keys.dedup();
    let page = paging::page(keys, request.offset, request.limit, 1000)?;
    Ok(DescribeTagKeysResponse {
        total_count: page.total,
        offset: page.offset,
        limit: page.limit,
        tags: page.rows,
    })
}

pub(crate) fn resources(_: &Tags, _: &Call<DescribeTagKeysRequest>) -> Vec<Resource> {
    on_all()
}
