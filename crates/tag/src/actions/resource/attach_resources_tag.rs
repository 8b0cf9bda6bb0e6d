//! `tag:AttachResourcesTag`: hangs a tag on resources of one kind that have none of that key.

use rookery_api::tag::{AttachResourcesTagRequest, AttachResourcesTagResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_kind;
use crate::error::Error;
use crate::kind::{Kind, RESOURCES};
use crate::{Tags, rules};

/// Every resource is looked at before the first one changes; each then changes in one step of its own.
pub(crate) async fn attach_resources_tag(
    tags: &Tags,
    call: Call<AttachResourcesTagRequest>,
) -> Result<AttachResourcesTagResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    let pair = (request.tag_key, request.tag_value);
    rules::tags(std::slice::from_ref(&pair))?;
    let prefix = request.resource_prefix.unwrap_or_default();
    let kind = Kind::read(request.service_type, prefix, request.resource_region.unwrap_or_default())?;
    let names = kind.names(account, request.resource_ids, RESOURCES)?;
    for name in &names {
        if tags.existing(name)?.iter().any(|(key, _)| *key == pair.0) {
            return Err(Error::KeyAttached { key: pair.0 });
        }
    }
    tags.set_on_all(names, vec![pair]).await?;
    Ok(AttachResourcesTagResponse::default())
}

pub(crate) fn resources(tags: &Tags, call: &Call<AttachResourcesTagRequest>) -> Vec<Resource> {
    let request = &call.request;
    let (prefix, region) = (request.resource_prefix.as_deref(), request.resource_region.as_deref());
    on_kind(tags, call.caller.account.uin, &request.service_type, prefix, region, &request.resource_ids)
}
