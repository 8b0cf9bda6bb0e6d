//! `tag:ModifyResourceTags`: sets tags of a resource and takes others off, in one step.

use rookery_api::tag::{ModifyResourceTagsRequest, ModifyResourceTagsResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_named;
use crate::error::Error;
use crate::resource_name::ResourceName;
use crate::rules::OF_REQUEST;
use crate::{Change, TAGS_OF_RESOURCE, Tags, rules, tag_pairs};

pub(crate) async fn modify_resource_tags(
    tags: &Tags,
    call: Call<ModifyResourceTagsRequest>,
) -> Result<ModifyResourceTagsResponse, Error> {
    let (account, now) = (call.caller.account.uin, tags.world.unix_seconds());
    let ModifyResourceTagsRequest { resource, replace_tags, delete_tags } = call.request;
    let given = [replace_tags.as_ref().map(Vec::len), delete_tags.as_ref().map(Vec::len)];
    if given == [None, None] || given.contains(&Some(0)) {
        return Err(Error::NothingToDo);
    }
    if given.into_iter().flatten().any(|number| number > OF_REQUEST) {
        return Err(Error::TooManyTags { limit: OF_REQUEST });
    }
    let replace: Vec<_> =
        replace_tags.unwrap_or_default().into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect();
    let remove: Vec<_> = delete_tags.unwrap_or_default().into_iter().map(|tag| tag.tag_key).collect();
    rules::tags(&replace)?;
    remove.iter().try_for_each(|key| rules::key(key))?;
    if let Some((key, _)) = replace.iter().find(|(key, _)| remove.contains(key)) {
        return Err(Error::BothWays { key: key.clone() });
    }
    let resource = ResourceName::parse(&resource, account)?;
    let change = Change { replace: replace.clone(), remove, most: TAGS_OF_RESOURCE };
    tags.change(resource, change).await?;
    tags.store.write(move |tx| tag_pairs::make(tx, account, &replace, now)).await?;
    Ok(ModifyResourceTagsResponse::default())
}

pub(crate) fn resources(tags: &Tags, call: &Call<ModifyResourceTagsRequest>) -> Vec<Resource> {
    on_named(tags, [&call.request.resource], call.caller.account.uin)
}
