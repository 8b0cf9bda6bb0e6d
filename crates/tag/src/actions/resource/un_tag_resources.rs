//! `tag:UnTagResources`: takes tags off resources of whichever kinds, and says off which it could not.

use rookery_api::tag::{UnTagResourcesRequest, UnTagResourcesResponse};
use rookery_gateway::{Call, Resource};

use crate::actions::on_named;
use crate::error::Error;
use crate::resource_name::ResourceName;
use crate::rules::OF_REQUEST;
use crate::{Change, TAGS_OF_RESOURCE, Tags, rules};

/// A key that a resource does not have is no failure, as little as where one resource is changed.
pub(crate) async fn un_tag_resources(
    tags: &Tags,
    call: Call<UnTagResourcesRequest>,
) -> Result<UnTagResourcesResponse, Error> {
    let account = call.caller.account.uin;
    let UnTagResourcesRequest { resource_list, tag_keys } = call.request;
    if !(1..=OF_REQUEST).contains(&resource_list.len()) {
        return Err(Error::TooManyResources { limit: OF_REQUEST });
    }
    if !(1..=OF_REQUEST).contains(&tag_keys.len()) {
        return Err(Error::TooManyTags { limit: OF_REQUEST });
    }
    tag_keys.iter().try_for_each(|key| rules::key(key))?;
    let mut failed_resources = Vec::new();
    for resource in resource_list {
        let change = Change { replace: Vec::new(), remove: tag_keys.clone(), most: TAGS_OF_RESOURCE };
        let taken = async { tags.change(ResourceName::parse(&resource, account)?, change).await };
        if let Err(error) = taken.await {
            failed_resources.push(error.of_resource(resource, call.language)?);
        }
    }
    Ok(UnTagResourcesResponse { failed_resources })
}

pub(crate) fn resources(tags: &Tags, call: &Call<UnTagResourcesRequest>) -> Vec<Resource> {
    on_named(tags, &call.request.resource_list, call.caller.account.uin)
}
