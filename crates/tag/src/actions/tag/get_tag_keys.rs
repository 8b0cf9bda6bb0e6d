//! `tag:GetTagKeys`: the keys, page by page.

use rookery_api::tag::{GetTagKeysRequest, GetTagKeysResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_all;
use crate::error::Error;
use crate::{Tags, paging, rules};

pub(crate) async fn get_tag_keys(
    tags: &Tags,
    call: Call<GetTagKeysRequest>,
) -> Result<GetTagKeysResponse, Error> {
    let request = call.request;
    let custom = rules::shows_custom(request.category.as_deref())?;
    let pairs = tags.pairs(call.caller.account.uin)?;
    let mut keys: Vec<_> = pairs.into_keys().map(|(key, _)| key).filter(|_| custom).collect();
    keys.dedup();
    let (tag_keys, pagination_token) =
        paging::after_token(keys, request.pagination_token.as_deref(), request.max_results, 1000)?;
    Ok(GetTagKeysResponse { pagination_token, tag_keys })
}

pub(crate) fn resources(_: &Tags, _: &Call<GetTagKeysRequest>) -> Vec<Resource> {
    on_all()
}
