//! The actions of the tag service, one a file: those that the platform's clients call. An action that names resources asks for the
//! permission on these very resources, so whose policy names one may not tag the others; an action that names none, as pairs, projects and
//! listings do, asks for it as a whole.

use rookery_gateway::Resource;

use crate::Tags;
use crate::resource_name::ResourceName;

rookery_gateway::actions! { Tags:
    tag { create_tag, delete_tag, get_tags, describe_tag_keys }
    resource {
        add_resource_tag, delete_resource_tag, modify_resource_tags, describe_resource_tags_by_resource_ids,
        get_resources,
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

/// One resource, under the name that policies have for it, however the caller calls it: else a denial would not be found.
fn on(tags: &Tags, name: ResourceName) -> Resource {
    // Where the product cannot be asked, the action will fail of it.
    tags.holder(&name)
        .known_as(name)
        .map_or_else(|_| Resource::any(), |name| Resource::whole(name.to_string()))
}
