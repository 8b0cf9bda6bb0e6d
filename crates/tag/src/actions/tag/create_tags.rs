//! `tag:CreateTags`: pairs of key and value to choose from, all or none.

use rookery_api::tag::{CreateTagsRequest, CreateTagsResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_all;
use crate::error::Error;
use crate::rules::OF_REQUEST;
use crate::{Tags, rules, tag_pairs};

pub(crate) async fn create_tags(
    tags: &Tags,
    call: Call<CreateTagsRequest>,
) -> Result<CreateTagsResponse, Error> {
    let (account, now) = (call.caller.account.uin, tags.world.unix_seconds());
    let pairs = rules::given(call.request.tags.unwrap_or_default())?;
    if !(1..=OF_REQUEST).contains(&pairs.len()) {
        return Err(Error::TooManyTags { limit: OF_REQUEST });
    }
    for (key, value) in &pairs {
        rules::key(key)?;
        rules::value(value)?;
    }
    tags.store
        .write(move |tx| {
            for pair in &pairs {
                // One that comes twice is not new the second time.
                if !tag_pairs::make(tx, account, std::slice::from_ref(pair), now)? {
                    let (key, value) = pair.clone();
                    return Err(Error::TagTaken { key, value });
                }
            }
            Ok(())
        })
        .await?;
    Ok(CreateTagsResponse::default())
}

pub(crate) fn resources(_: &Tags, _: &Call<CreateTagsRequest>) -> Vec<Resource> {
    on_all()
}
