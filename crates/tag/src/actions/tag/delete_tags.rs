//! `tag:DeleteTags`: pairs of key and value that hang nowhere, all or none.

use rookery_api::tag::{DeleteTagsRequest, DeleteTagsResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Account;

use crate::actions::on_all;
use crate::error::Error;
use crate::rules::OF_REQUEST;
use crate::tag_pairs::TagPairs;
use crate::{Tags, rules};

pub(crate) async fn delete_tags(
    tags: &Tags,
    call: Call<DeleteTagsRequest>,
) -> Result<DeleteTagsResponse, Error> {
    let account = call.caller.account.uin;
    let doomed = rules::given(call.request.tags)?;
    if !(1..=OF_REQUEST).contains(&doomed.len()) {
        return Err(Error::TooManyTags { limit: OF_REQUEST });
    }
    let pairs = tags.pairs(account)?;
    for (key, value) in &doomed {
        let (key, value) = (key.clone(), value.clone());
        match pairs.get(&(key.clone(), value.clone())) {
            Some(false) => {}
            Some(true) => return Err(Error::InUse { key, value }),
            None => return Err(Error::NoTag { key, value }),
        }
    }
    tags.store
        .write(move |tx| {
            for pair in &doomed {
                tx.delete::<TagPairs>(&Account { uin: account }, pair)?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    Ok(DeleteTagsResponse::default())
}

pub(crate) fn resources(_: &Tags, _: &Call<DeleteTagsRequest>) -> Vec<Resource> {
    on_all()
}
