//! `tag:DetachResourcesTag`: takes a tag off resources of one kind.

use rookery_api::tag::{DetachResourcesTagRequest, DetachResourcesTagResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_kind;
use crate::error::Error;
use crate::kind::{Kind, RESOURCES};
use crate::{Change, TAGS_OF_RESOURCE, Tags, rules};

/// Every resource is looked at before the first one changes; each then changes in one step of its own.
pub(crate) async fn detach_resources_tag(
    tags: &Tags,
    call: Call<DetachResourcesTagRequest>,
) -> Result<DetachResourcesTagResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    let key = request.tag_key;
    rules::key(&key)?;
    let prefix = request.resource_prefix.unwrap_or_default();
    let kind = Kind::read(request.service_type, prefix, request.resource_region.unwrap_or_default())?;
    let names = kind.names(account, request.resource_ids, RESOURCES)?;
    for name in &names {
        if !tags.existing(name)?.iter().any(|(other, _)| *other == key) {
            return Err(Error::NotAttached { key });
        }
    }
    for name in names {
        let change = Change { replace: Vec::new(), remove: vec![key.clone()], most: TAGS_OF_RESOURCE };
        tags.change(name, change).await?;
    }
    Ok(DetachResourcesTagResponse::default())
}

pub(crate) fn resources(tags: &Tags, call: &Call<DetachResourcesTagRequest>) -> Vec<Resource> {
    let request = &call.request;
    let (prefix, region) = (request.resource_prefix.as_deref(), request.resource_region.as_deref());
    on_kind(tags, call.caller.account.uin, &request.service_type, prefix, region, &request.resource_ids)
}
