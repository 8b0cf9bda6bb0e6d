//! The actions of the tag service, one a file: those that the platform's clients call. Permission is asked for on the action as a whole:
//! whose policy allows an action of `tag` may change tags of every resource of the account.

use rookery_gateway::Resource;

use crate::Tags;

rookery_gateway::actions! { Tags:
    tag { create_tag, delete_tag, get_tags, describe_tag_keys }
    resource {
        add_resource_tag, delete_resource_tag, modify_resource_tags, describe_resource_tags_by_resource_ids,
        get_resources,
    }
    project { add_project, update_project, describe_projects }
}

/// Authorised as a whole: the platform's own policies for tags name no resource.
fn on_all() -> Vec<Resource> {
    vec![Resource::any()]
}
