//! `tag:DeleteResourceTag`: takes a tag off a resource.

use rookery_api::tag::{DeleteResourceTagRequest, DeleteResourceTagResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_named;
use crate::error::Error;
use crate::resource_name::ResourceName;
use crate::{Change, TAGS_OF_RESOURCE, Tags, rules};

pub(crate) async fn delete_resource_tag(
    tags: &Tags,
    call: Call<DeleteResourceTagRequest>,
) -> Result<DeleteResourceTagResponse, Error> {
    let DeleteResourceTagRequest { tag_key: key, resource } = call.request;
    rules::key(&key)?;
    let resource = ResourceName::parse(&resource, call.caller.account.uin)?;
    if !tags.tags_of(&resource)?.iter().any(|(other, _)| *other == key) {
        return Err(Error::NotAttached { key });
    }
    let change = Change { replace: Vec::new(), remove: vec![key], most: TAGS_OF_RESOURCE };
    tags.change(resource, change).await?;
    Ok(DeleteResourceTagResponse::default())
}

pub(crate) fn resources(tags: &Tags, call: &Call<DeleteResourceTagRequest>) -> Vec<Resource> {
    on_named(tags, [&call.request.resource], call.caller.account.uin)
}
