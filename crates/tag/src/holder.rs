//! The seam to the products: who keeps the tags of which resources.

use futures_util::future::BoxFuture;

use crate::resource_name::ResourceName;

/// A key and its value.
pub type Tag = (String, String);

/// What is to change of the tags of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Set: added, or given another value.
    pub replace: Vec<Tag>,
    /// Keys to take away; those that are not there are no error.
    pub remove: Vec<String>,
    /// How many tags the resource may have afterwards.
    pub most: usize,
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is kept.
    Changed,
    /// There is no such resource.
    NoResource,
    /// The resource would have too many tags; nothing has changed.
    TooMany,
}

/// Why a product could not answer; for the log, not for clients.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the tags of a product cannot be had: {0}")]
pub struct HolderError(pub String);

/// A product that keeps the tags of its resources. Registered once, where the parts are put together.
pub trait Holder: Send + Sync + 'static {
    /// Whether it keeps the tags of the resource, if there is such a one.
    fn holds(&self, resource: &ResourceName) -> bool;
    /// Whether a resource of which it has no tags is one that does not exist.
    fn knows_all(&self) -> bool {
        true
    }
    /// The name by which policies know the resource, where clients may give it another one as well.
    fn known_as(&self, resource: ResourceName) -> Result<ResourceName, HolderError> {
        Ok(resource)
    }
    /// The tags of a resource, by their keys; `None` where there is no such resource.
    fn tags(&self, resource: &ResourceName) -> Result<Option<Vec<Tag>>, HolderError>;
    /// Changes the tags of a resource in one transaction.
    fn change(&self, resource: ResourceName, change: Change) -> BoxFuture<'_, Result<Outcome, HolderError>>;
    /// The resources of the account that have tags.
    fn tagged(&self, account: u64) -> Result<Vec<(ResourceName, Vec<Tag>)>, HolderError>;
}

/// The tags that `change` makes of `tags`, in the order of their keys; `None` where they would be too many.
#[must_use]
pub fn changed(mut tags: Vec<Tag>, change: &Change) -> Option<Vec<Tag>> {
    tags.retain(|(key, _)| {
        !change.remove.contains(key) && change.replace.iter().all(|(other, _)| other != key)
    });
    tags.extend(change.replace.iter().cloned());
    tags.sort();
    (tags.len() <= change.most || change.replace.is_empty()).then_some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_replaces_removes_and_has_a_limit() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let tags = vec![tag("a", "1"), tag("b", "1")];
        let change =
            Change { replace: vec![tag("b", "2"), tag("c", "3")], remove: vec!["a".to_owned()], most: 2 };
        assert_eq!(changed(tags.clone(), &change).unwrap(), [tag("b", "2"), tag("c", "3")]);
        let change = Change { replace: vec![tag("c", "3")], remove: Vec::new(), most: 2 };
        assert_eq!(changed(tags.clone(), &change), None);
        let change = Change { replace: Vec::new(), remove: vec!["z".to_owned()], most: 1 };
        assert_eq!(changed(tags.clone(), &change).unwrap(), tags, "taking away is always possible");
    }
}
