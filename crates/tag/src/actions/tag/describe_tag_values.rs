//! `tag:DescribeTagValues`: the values of some keys, page by page.

use rookery_api::tag::{DescribeTagValuesRequest, DescribeTagValuesResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_all;
use crate::error::Error;
use crate::{Tags, paging, rules, shown};

pub(crate) async fn describe_tag_values(
    tags: &Tags,
    call: Call<DescribeTagValuesRequest>,
) -> Result<DescribeTagValuesResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    rules::creator(account, request.create_uin)?;
    rules::some_keys(&request.tag_keys)?;
    let custom = rules::shows_custom(request.category.as_deref())?;
    let mut pairs: Vec<_> = tags.pairs(account)?.into_keys().collect();
    pairs.retain(|(key, _)| custom && request.tag_keys.contains(key));
    let page = paging::page(pairs, request.offset, request.limit, 1000)?;
    Ok(DescribeTagValuesResponse {
        total_count: page.total,
        offset: page.offset,
        limit: page.limit,
        tags: page.rows.into_iter().map(shown::pair).collect(),
    })
}

pub(crate) fn resources(_: &Tags, _: &Call<DescribeTagValuesRequest>) -> Vec<Resource> {
    on_all()
}
