//! `tag:DescribeResourceTagsByResourceIds`: the tags of resources of one kind, page by page.

use md5::{Digest as _, Md5};
use rookery_api::tag::{
    DescribeResourceTagsByResourceIdsRequest, DescribeResourceTagsByResourceIdsResponse, TagResource,
};
use rookery_gateway::{Call, Resource};

use crate::Tags;
use crate::actions::on;
use crate::error::Error;
use crate::resource_name::ResourceName;
use crate::{paging, rules};

/// Resources that are not there have no tags.
pub(crate) async fn describe_resource_tags_by_resource_ids(
    tags: &Tags,
    call: Call<DescribeResourceTagsByResourceIdsRequest>,
) -> Result<DescribeResourceTagsByResourceIdsResponse, Error> {
    let (account, request) = (call.caller.account.uin, call.request);
    let (service, prefix, region) = (request.service_type, request.resource_prefix, request.resource_region);
    if !rookery_api::PRODUCTS.iter().any(|product| product.name == service) {
        return Err(Error::ServiceType { service });
    }
    if prefix.is_empty() {
        return Err(Error::Prefix);
    }
    if !region.is_empty() && rookery_api::region::find(&region).is_none() {
        return Err(Error::Region { region });
    }
    if !(1..=50).contains(&request.resource_ids.len()) || request.resource_ids.iter().any(String::is_empty) {
        return Err(Error::ResourceIds);
    }
    let custom = rules::shows_custom(request.category.as_deref())?;
    let mut found = Vec::new();
    for id in request.resource_ids.into_iter().filter(|_| custom) {
        let (service, region, prefix) = (service.clone(), region.clone(), prefix.clone());
        let resource = ResourceName { service, region, account, prefix, id };
        let of_resource = tags.tags_of(&resource)?;
        found.extend(of_resource.into_iter().map(|(key, value)| TagResource {
            tag_key_md5: md5(&key),
            tag_value_md5: md5(&value),
            tag_key: key,
            tag_value: value,
            resource_id: resource.id.clone(),
            service_type: resource.service.clone(),
            category: "Custom".to_owned(),
        }));
    }
    let page = paging::page(found, request.offset, request.limit, 1000)?;
    Ok(DescribeResourceTagsByResourceIdsResponse {
        total_count: page.total,
        offset: page.offset,
        limit: page.limit,
        tags: page.rows,
    })
}

fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

pub(crate) fn resources(tags: &Tags, call: &Call<DescribeResourceTagsByResourceIdsRequest>) -> Vec<Resource> {
    let (account, request) = (call.caller.account.uin, &call.request);
    let named = request.resource_ids.iter().map(|id| ResourceName {
        service: request.service_type.clone(),
        region: request.resource_region.clone(),
        account,
        prefix: request.resource_prefix.clone(),
        id: id.clone(),
    });
    named.map(|name| on(tags, name)).collect()
}
