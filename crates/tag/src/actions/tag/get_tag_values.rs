//! `tag:GetTagValues`: the values of some keys, page by page.

use rookery_api::tag::{GetTagValuesRequest, GetTagValuesResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_all;
use crate::error::Error;
use crate::{Tags, paging, rules, shown};

pub(crate) async fn get_tag_values(
    tags: &Tags,
    call: Call<GetTagValuesRequest>,
) -> Result<GetTagValuesResponse, Error> {
    let request = call.request;
    rules::some_keys(&request.tag_keys)?;
    let custom = rules::shows_custom(request.category.as_deref())?;
    let mut pairs: Vec<_> = tags.pairs(call.caller.account.uin)?.into_keys().collect();
    pairs.retain(|(key, _)| custom && request.tag_keys.contains(key));
    let (pairs, pagination_token) =
        paging::after_token(pairs, request.pagination_token.as_deref(), request.max_results, 1000)?;
    Ok(GetTagValuesResponse { pagination_token, tags: pairs.into_iter().map(shown::pair).collect() })
}

pub(crate) fn resources(_: &Tags, _: &Call<GetTagValuesRequest>) -> Vec<Resource> {
    on_all()
}
