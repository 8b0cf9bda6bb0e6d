//! `tag:CreateTag`: a pair of key and value to choose from.

use rookery_api::tag::{CreateTagRequest, CreateTagResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_all;
use crate::error::Error;
use crate::{Tags, rules, tag_pairs};

pub(crate) async fn create_tag(
    tags: &Tags,
    call: Call<CreateTagRequest>,
) -> Result<CreateTagResponse, Error> {
    let (account, now) = (call.caller.account.uin, tags.world.unix_seconds());
    let CreateTagRequest { tag_key: key, tag_value: value } = call.request;
    rules::key(&key)?;
    rules::value(&value)?;
    tags.store
        .write(move |tx| {
            let pair = (key.clone(), value.clone());
            if tag_pairs::make(tx, account, std::slice::from_ref(&pair), now)? {
                Ok(())
            } else {
                Err(Error::TagTaken { key: pair.0, value: pair.1 })
            }
        })
        .await?;
    Ok(CreateTagResponse::default())
}

pub(crate) fn resources(_: &Tags, _: &Call<CreateTagRequest>) -> Vec<Resource> {
    on_all()
}
