//! `tag:UpdateResourceTagValue`: gives a tag of a resource another value.

use rookery_api::tag::{UpdateResourceTagValueRequest, UpdateResourceTagValueResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_named;
use crate::error::Error;
use crate::resource_name::ResourceName;
use crate::{Tags, rules};

pub(crate) async fn update_resource_tag_value(
    tags: &Tags,
    call: Call<UpdateResourceTagValueRequest>,
) -> Result<UpdateResourceTagValueResponse, Error> {
    let UpdateResourceTagValueRequest { tag_key: key, tag_value: value, resource } = call.request;
    rules::key(&key)?;
    rules::value(&value)?;
    let resource = ResourceName::parse(&resource, call.caller.account.uin)?;
    if !tags.tags_of(&resource)?.iter().any(|(other, _)| *other == key) {
        return Err(Error::NotAttached { key });
    }
    tags.set_on_all(vec![resource], vec![(key, value)]).await?;
    Ok(UpdateResourceTagValueResponse::default())
}

pub(crate) fn resources(tags: &Tags, call: &Call<UpdateResourceTagValueRequest>) -> Vec<Resource> {
    on_named(tags, [&call.request.resource], call.caller.account.uin)
}
