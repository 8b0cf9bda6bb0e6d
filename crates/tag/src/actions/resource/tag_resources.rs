//! `tag:TagResources`: sets tags on resources of whichever kinds, and says on which it could not.

use rookery_api::tag::{TagResourcesRequest, TagResourcesResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_named;
use crate::error::Error;
use crate::resource_name::ResourceName;
use crate::rules::OF_REQUEST;
use crate::{Tags, rules};

/// What cannot be done on one resource does not keep the others from it.
pub(crate) async fn tag_resources(
    tags: &Tags,
    call: Call<TagResourcesRequest>,
) -> Result<TagResourcesResponse, Error> {
    let account = call.caller.account.uin;
    let TagResourcesRequest { resource_list, tags: given } = call.request;
    if !(1..=OF_REQUEST).contains(&resource_list.len()) {
        return Err(Error::TooManyResources { limit: OF_REQUEST });
    }
    if !(1..=OF_REQUEST).contains(&given.len()) {
        return Err(Error::TooManyTags { limit: OF_REQUEST });
    }
    let pairs = rules::given(given)?;
    rules::tags(&pairs)?;
    let mut failed_resources = Vec::new();
    for resource in resource_list {
        let set = async {
            let name = ResourceName::parse(&resource, account)?;
            tags.set_on_all(vec![name], pairs.clone()).await
        };
        if let Err(error) = set.await {
            failed_resources.push(error.of_resource(resource, call.language)?);
        }
    }
    Ok(TagResourcesResponse { failed_resources })
}

pub(crate) fn resources(tags: &Tags, call: &Call<TagResourcesRequest>) -> Vec<Resource> {
    on_named(tags, &call.request.resource_list, call.caller.account.uin)
}
