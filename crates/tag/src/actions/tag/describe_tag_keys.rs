//! `tag:DescribeTagKeys`: the keys, page by page.

use rookery_api::tag::{DescribeTagKeysRequest, DescribeTagKeysResponse};
use rookery_gateway::{Call, Resource};

use crate::Tags;
use crate::actions::on_all;
use crate::error::Error;
use crate::{paging, rules};

/// Who made a key is not kept apart: the creator is the account. Projects are no tags here, whatever `ShowProject` says, as for every
/// account that did not ask the platform for it.
pub(crate) async fn describe_tag_keys(
    tags: &Tags,
    call: Call<DescribeTagKeysRequest>,
) -> Result<DescribeTagKeysResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    if let Some(uin) = request.create_uin.filter(|uin| *uin != 0 && *uin != account) {
        return Err(Error::Creator { uin });
    }
    if request.show_project.is_some_and(|shown| shown > 1) {
        return Err(Error::Failed { what: "`ShowProject` must be 0 or 1".to_owned() });
    }
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
