//! `tag:GetResources`: the resources that have tags, by their names or by what hangs on them.

use std::collections::BTreeMap;

use rookery_api::tag::{GetResourcesRequest, GetResourcesResponse, ResourceTagMapping};
use rookery_gateway::{Call, Resource};

use crate::Tags;
use crate::actions::on_named;
use crate::error::Error;
use crate::narrowing::{FILTERS, passes};
use crate::resource_name::ResourceName;
use crate::{paging, shown};

/// How many resources can be asked for by name.
const RESOURCES: usize = 10;

/// A resource passes a filter that names its key, and one of its values unless there are none. With names everything comes in one page.
pub(crate) async fn get_resources(
    tags: &Tags,
    call: Call<GetResourcesRequest>,
) -> Result<GetResourcesResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    let filters = request.tag_filters.unwrap_or_default();
    if filters.len() > FILTERS {
        return Err(Error::TooManyFilters { limit: FILTERS });
    }
    if filters.iter().any(|filter| filter.tag_key.is_empty()) {
        return Err(Error::KeyEmpty);
    }
    let names = request.resource_list.unwrap_or_default();
    if names.len() > RESOURCES {
        return Err(Error::TooManyResources { limit: RESOURCES });
    }
    let mut asked = BTreeMap::new();
    for name in names {
        asked.insert(ResourceName::parse(&name, account)?, name);
    }
    let mut found: Vec<_> = tags.tagged(account)?.into_iter().collect();
    found.retain(|(name, tags)| {
        filters.iter().all(|filter| passes(filter, tags)) && (asked.is_empty() || asked.contains_key(name))
    });
    let (found, pagination_token) = if asked.is_empty() {
        paging::after_token(found, request.pagination_token.as_deref(), request.max_results, 200)?
    } else {
        (found, String::new())
    };
    let resource_tag_mapping_list = found.into_iter().map(|(name, tags)| ResourceTagMapping {
        // As it was asked for: clients look for their own words.
        resource: asked.get(&name).cloned().unwrap_or_else(|| name.to_string()),
        tags: tags.into_iter().map(shown::pair).collect(),
    });
    Ok(GetResourcesResponse {
        pagination_token,
        resource_tag_mapping_list: resource_tag_mapping_list.collect(),
    })
}

pub(crate) fn resources(tags: &Tags, call: &Call<GetResourcesRequest>) -> Vec<Resource> {
    on_named(tags, call.request.resource_list.iter().flatten(), call.caller.account.uin)
}
