//! `tag:AddResourceTag`: hangs a tag on a resource that has none of that key.

use rookery_api::tag::{AddResourceTagRequest, AddResourceTagResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_named;
use crate::error::Error;
use crate::resource_name::ResourceName;
use crate::{Change, TAGS_OF_RESOURCE, Tags, rules, tag_pairs};

pub(crate) async fn add_resource_tag(
    tags: &Tags,
    call: Call<AddResourceTagRequest>,
) -> Result<AddResourceTagResponse, Error> {
    let (account, now) = (call.caller.account.uin, tags.world.unix_seconds());
    let AddResourceTagRequest { tag_key: key, tag_value: value, resource } = call.request;
    rules::key(&key)?;
    rules::value(&value)?;
    let resource = ResourceName::parse(&resource, account)?;
    if tags.tags_of(&resource)?.iter().any(|(other, _)| *other == key) {
        return Err(Error::KeyAttached { key });
    }
    let pair = vec![(key, value)];
    let change = Change { replace: pair.clone(), remove: Vec::new(), most: TAGS_OF_RESOURCE };
    tags.change(resource, change).await?;
    tags.store.write(move |tx| tag_pairs::make(tx, account, &pair, now)).await?;
    Ok(AddResourceTagResponse::default())
}

pub(crate) fn resources(tags: &Tags, call: &Call<AddResourceTagRequest>) -> Vec<Resource> {
    on_named(tags, [&call.request.resource], call.caller.account.uin)
}
