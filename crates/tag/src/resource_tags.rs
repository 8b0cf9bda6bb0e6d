//! The tags of resources as conditions of policies see them (`qcs:resource_tag`).

use rookery_gateway::identity::ResourceTags;

use crate::Tags;
use crate::holder::Tag;
use crate::resource_name::ResourceName;

impl ResourceTags for Tags {
    /// The resource's own tags; where it has none, those of what it is in, as a repository is in its namespace.
    fn tags(&self, resource: &str, account: u64) -> Result<Vec<Tag>, String> {
        // What is no name of a resource with a kind and an id has no tags.
        let Ok(mut resource) = ResourceName::parse(resource, account) else { return Ok(Vec::new()) };
        loop {
            let tags = self.tags_of(&resource).map_err(|error| error.to_string())?;
            let parent = resource.id.rsplit_once('/').map(|(parent, _)| parent.to_owned());
            match parent {
                Some(parent) if tags.is_empty() => resource.id = parent,
                _ => return Ok(tags),
            }
        }
    }
}
