//! The actions of the tag service, one a file. An action that names resources asks for the
//! permission on these very resources, so whose policy names one may not tag the others; an action that names none, as pairs, projects and
//! listings do, asks for it as a whole.

use rookery_gateway::Resource;

use crate::Tags;
use crate::kind;
use crate::resource_name::ResourceName;

rookery_gateway::actions! { Tags:
    tag {
        create_tag, create_tags, delete_tag, delete_tags, describe_tag_keys, describe_tag_values, describe_tag_values_seq, describe_tags,
        describe_tags_seq, get_tag_keys, get_tag_values, get_tags
    }
    resource {
        add_resource_tag, attach_resources_tag, delete_resource_tag, describe_resource_tags, describe_resource_tags_by_resource_ids,
        describe_resource_tags_by_resource_ids_seq, describe_resource_tags_by_tag_keys, describe_resources_by_tags,
        describe_resources_by_tags_union, detach_resources_tag, get_resources, modify_resource_tags, modify_resources_tag_value,
        tag_resources, un_tag_resources, update_resource_tag_value
    }
    project { add_project, update_project, describe_projects }
}

/// Authorised as a whole.
fn on_all() -> Vec<Resource> {
    vec![Resource::any()]
}

/// The resources that the caller names. What is no resource of the account asks for all of them: the action refuses it, and tells only who
/// may tag everything why. Who names none asks for all of them.
fn on_named<'a>(tags: &Tags, names: impl IntoIterator<Item = &'a String>, account: u64) -> Vec<Resource> {
    let mut resources = Vec::new();
    for name in names {
        resources
            .push(ResourceName::parse(name, account).map_or_else(|_| Resource::any(), |name| on(tags, name)));
    }
    if resources.is_empty() { on_all() } else { resources }
}

/// The resources of one kind that the caller names. Who names none asks for all of them.
fn on_kind(
    tags: &Tags,
    account: u64,
    service: &str,
    prefix: Option<&str>,
    region: Option<&str>,
    ids: &[String],
) -> Vec<Resource> {
    let named = kind::asked(account, service, prefix, region, ids);
    if named.is_empty() { on_all() } else { named.into_iter().map(|name| on(tags, name)).collect() }
}

/// One resource, under the name that policies have for it, however the caller calls it: else a denial would not be found.
fn on(tags: &Tags, name: ResourceName) -> Resource {
    // Where the product cannot be asked, the action will fail of it.
    tags.holder(&name)
        .known_as(name)
        .map_or_else(|_| Resource::any(), |name| Resource::whole(name.to_string()))
}
