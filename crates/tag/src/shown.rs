//! Tags as replies show them.

use md5::{Digest as _, Md5};
use rookery_api::tag::{ResourceTag, Tag as Pair, TagResource};

use crate::holder::Tag;
use crate::resource_name::ResourceName;

/// `Category` of every tag here: the account's own.
pub(crate) const CUSTOM: &str = "Custom";

/// A pair of key and value.
pub(crate) fn pair((tag_key, tag_value): Tag) -> Pair {
    Pair { tag_key, tag_value, category: Some(CUSTOM.to_owned()) }
}

/// A tag with the resource on which it hangs.
pub(crate) fn on_resource(resource: &ResourceName, (key, value): Tag) -> TagResource {
    TagResource {
        tag_key_md5: md5(&key),
        tag_value_md5: md5(&value),
        tag_key: key,
        tag_value: value,
        resource_id: resource.id.clone(),
        service_type: resource.service.clone(),
        category: CUSTOM.to_owned(),
    }
}

/// A resource with its tags.
pub(crate) fn resource(name: ResourceName, tags: Vec<Tag>) -> ResourceTag {
    ResourceTag {
        resource_region: name.region,
        service_type: name.service,
        resource_prefix: name.prefix,
        resource_id: name.id,
        tags: tags.into_iter().map(pair).collect(),
    }
}

fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text))
}
