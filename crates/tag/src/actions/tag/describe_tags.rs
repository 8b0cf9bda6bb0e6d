//! `tag:DescribeTags`: the pairs of key and value, with whether each can be deleted, page by page.

use rookery_api::tag::{DescribeTagsRequest, DescribeTagsResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_all;
use crate::error::Error;
use crate::{Tags, listed, paging};

pub(crate) async fn describe_tags(
    tags: &Tags,
    call: Call<DescribeTagsRequest>,
) -> Result<DescribeTagsResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    let asked = listed::Asked {
        key: request.tag_key,
        value: request.tag_value,
        keys: request.tag_keys,
        creator: request.create_uin,
        show_project: request.show_project,
    };
    let page = paging::page(listed::pairs(tags, account, asked)?, request.offset, request.limit, 1000)?;
    Ok(DescribeTagsResponse {
        total_count: page.total,
        offset: page.offset,
        limit: page.limit,
        tags: page.rows,
    })
}

pub(crate) fn resources(_: &Tags, _: &Call<DescribeTagsRequest>) -> Vec<Resource> {
    on_all()
}
