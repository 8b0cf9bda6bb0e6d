//! `tag:GetTags`: the pairs of key and value, page by page; with keys only theirs.

use rookery_api::tag::{GetTagsRequest, GetTagsResponse};
use rookery_gateway::{Call, Resource};

use crate::Tags;
use crate::actions::on_all;
use crate::error::Error;
use crate::{paging, rules, shown};

pub(crate) async fn get_tags(tags: &Tags, call: Call<GetTagsRequest>) -> Result<GetTagsResponse, Error> {
    let request = call.request;
    let keys = request.tag_keys.unwrap_or_default();
    if keys.len() > 20 {
        return Err(Error::Parameter { parameter: "TagKeys", rule: "must have at most 20 keys" });
    }
    if keys.iter().any(String::is_empty) {
        return Err(Error::KeyEmpty);
    }
    let custom = rules::shows_custom(request.category.as_deref())?;
    let mut pairs: Vec<_> = tags.pairs(call.caller.account.uin)?.into_keys().collect();
    pairs.retain(|(key, _)| custom && (keys.is_empty() || keys.contains(key)));
    let (pairs, pagination_token) =
        paging::after_token(pairs, request.pagination_token.as_deref(), request.max_results, 1000)?;
    Ok(GetTagsResponse { pagination_token, tags: pairs.into_iter().map(shown::pair).collect() })
}

pub(crate) fn resources(_: &Tags, _: &Call<GetTagsRequest>) -> Vec<Resource> {
    on_all()
}
