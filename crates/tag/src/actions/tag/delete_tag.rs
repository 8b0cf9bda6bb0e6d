//! `tag:DeleteTag`: a pair of key and value that hangs nowhere.

use rookery_api::tag::{DeleteTagRequest, DeleteTagResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Account;

use crate::Tags;
use crate::actions::on_all;
use crate::error::Error;
use crate::tag_pairs::TagPairs;

pub(crate) async fn delete_tag(
    tags: &Tags,
    call: Call<DeleteTagRequest>,
) -> Result<DeleteTagResponse, Error> {
    let account = call.caller.account.uin;
    let DeleteTagRequest { tag_key: key, tag_value: value } = call.request;
    let pair = (key, value);
    match tags.pairs(account)?.get(&pair) {
        Some(false) => {}
        Some(true) => return Err(Error::InUse { key: pair.0, value: pair.1 }),
        None => return Err(Error::NoTag { key: pair.0, value: pair.1 }),
    }
    tags.store.write(move |tx| tx.delete::<TagPairs>(&Account { uin: account }, &pair)).await?;
    Ok(DeleteTagResponse::default())
}

pub(crate) fn resources(_: &Tags, _: &Call<DeleteTagRequest>) -> Vec<Resource> {
    on_all()
}
