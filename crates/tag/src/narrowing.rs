//! What narrows listings of resources: parts of their names, and what hangs on them.

use rookery_api::tag::TagFilter;

use crate::error::Error;
use crate::holder::Tag;
use crate::kind;
use crate::resource_name::ResourceName;

/// How many filters a request may have.
pub(crate) const FILTERS: usize = 6;

/// Parts of a name. What is empty or absent narrows nothing.
pub(crate) struct Parts {
    service: String,
    prefix: String,
    region: String,
    id: String,
}

impl Parts {
    /// Reads `ServiceType`, `ResourcePrefix`, `ResourceRegion` and `ResourceId`.
    pub(crate) fn read(
        service: Option<String>,
        prefix: Option<String>,
        region: Option<String>,
        id: Option<String>,
    ) -> Result<Self, Error> {
        let parts = Self {
            service: service.unwrap_or_default(),
            prefix: prefix.unwrap_or_default(),
            region: region.unwrap_or_default(),
            id: id.unwrap_or_default(),
        };
        if !parts.service.is_empty() {
            kind::check_service(&parts.service)?;
        }
        kind::check_region(&parts.region)?;
        Ok(parts)
    }

    pub(crate) fn admit(&self, name: &ResourceName) -> bool {
        let Self { service, prefix, region, id } = self;
        [(service, &name.service), (prefix, &name.prefix), (region, &name.region), (id, &name.id)]
            .into_iter()
            .all(|(part, own)| part.is_empty() || part == own)
    }
}

/// Whether a resource with those tags passes a filter: it has the key, and one of the values unless there are none.
pub(crate) fn passes(filter: &TagFilter, tags: &[Tag]) -> bool {
    let values = filter.tag_value.as_deref().unwrap_or_default();
    tags.iter().any(|(key, value)| *key == filter.tag_key && (values.is_empty() || values.contains(value)))
}

/// Refuses filters that are none, or too many, or without a key.
pub(crate) fn check_filters(filters: &[TagFilter]) -> Result<(), Error> {
    if filters.is_empty() {
        return Err(Error::NoFilters);
    }
    if filters.len() > FILTERS {
        return Err(Error::FiltersFull { limit: FILTERS });
    }
    if filters.iter().any(|filter| filter.tag_key.is_empty()) {
        return Err(Error::KeyEmpty);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_said_have_to_be_those_of_the_name() {
        let name = ResourceName::parse("qcs::kms:ap-guangzhou:uin/7:key/creatorUin/7/abc", 7).unwrap();
        let some = |text: &str| Some(text.to_owned());
        let read = |service: &str, prefix: &str, region: &str, id: &str| {
            Parts::read(some(service), some(prefix), some(region), some(id))
        };
        assert!(Parts::read(None, None, None, None).unwrap().admit(&name));
        assert!(read("kms", "key", "ap-guangzhou", "creatorUin/7/abc").unwrap().admit(&name));
        for [service, prefix, region, id] in
            [["tcr", "", "", ""], ["", "instance", "", ""], ["", "", "ap-beijing", ""], ["", "", "", "abc"]]
        {
            assert!(!read(service, prefix, region, id).unwrap().admit(&name));
        }
        assert!(matches!(read("none", "", "", ""), Err(Error::ServiceType { .. })));
        assert!(matches!(read("", "", "moon", ""), Err(Error::Region { .. })));
    }

    #[test]
    fn a_filter_names_a_key_and_perhaps_values() {
        let tags = [("env".to_owned(), "prod".to_owned())];
        let filter = |key: &str, values: Option<&[&str]>| TagFilter {
            tag_key: key.to_owned(),
            tag_value: values.map(|values| values.iter().map(|value| (*value).to_owned()).collect()),
        };
        for good in [filter("env", None), filter("env", Some(&[])), filter("env", Some(&["test", "prod"]))] {
            assert!(passes(&good, &tags) && check_filters(&[good]).is_ok());
        }
        assert!(!passes(&filter("env", Some(&["test"])), &tags));
        assert!(!passes(&filter("team", None), &tags));
        assert!(matches!(check_filters(&[]), Err(Error::NoFilters)));
        assert!(matches!(check_filters(&[filter("", None)]), Err(Error::KeyEmpty)));
        let many = vec![filter("env", None); FILTERS + 1];
        assert!(matches!(check_filters(&many), Err(Error::FiltersFull { .. })));
    }
}
