//! `tag:DescribeTagValuesSeq`: the values of some keys in their order, page by page.

use rookery_api::tag::{DescribeTagValuesSeqRequest, DescribeTagValuesSeqResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_all;
use crate::error::Error;
use crate::{Tags, paging, rules, shown};

pub(crate) async fn describe_tag_values_seq(
    tags: &Tags,
    call: Call<DescribeTagValuesSeqRequest>,
) -> Result<DescribeTagValuesSeqResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    rules::creator(account, request.create_uin)?;
    rules::some_keys(&request.tag_keys)?;
    let mut pairs: Vec<_> = tags.pairs(account)?.into_keys().collect();
    pairs.retain(|(key, _)| request.tag_keys.contains(key));
    let page = paging::page(pairs, request.offset, request.limit, 1000)?;
    Ok(DescribeTagValuesSeqResponse {
        total_count: page.total,
        offset: page.offset,
        limit: page.limit,
        tags: page.rows.into_iter().map(shown::pair).collect(),
    })
}

pub(crate) fn resources(_: &Tags, _: &Call<DescribeTagValuesSeqRequest>) -> Vec<Resource> {
    on_all()
}
