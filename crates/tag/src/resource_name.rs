//! Names of resources in six segments: `qcs::tcr:ap-guangzhou:uin/100000000001:instance/tcr-ab12cd34`.

use std::fmt;

use crate::error::Error;

/// A resource of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceName {
    /// The product.
    pub service: String,
    /// The region; empty for products without regions.
    pub region: String,
    /// The account.
    pub account: u64,
    /// What kind of resource: everything before the first `/` of the last segment.
    pub prefix: String,
    /// Which one: everything after it, and it may have more of them (`creatorUin/100000000001/<key>`).
    pub id: String,
}

impl ResourceName {
    /// Reads the name that a caller of `account` gives. `uin/` without a number, as Terraform writes it, means the caller's account; so
    /// does an empty segment.
    pub(crate) fn parse(name: &str, account: u64) -> Result<Self, Error> {
        let wrong = |what| Error::Resource { name: name.to_owned(), what };
        let mut segments = name.splitn(6, ':');
        let mut next = || segments.next().ok_or_else(|| wrong("it needs six segments"));
        let (qcs, project, service, region, owner, last) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        if qcs != "qcs" || !project.is_empty() {
            return Err(wrong("it must begin with `qcs::`"));
        }
        if !rookery_api::PRODUCTS.iter().any(|product| product.name == service) {
            return Err(wrong("there is no such product"));
        }
        if !region.is_empty() && rookery_api::region::find(region).is_none() {
            return Err(wrong("there is no such region"));
        }
        let own = account.to_string();
        if !matches!(owner.strip_prefix("uin/"), Some(uin) if uin.is_empty() || uin == own)
            && !owner.is_empty()
        {
            return Err(wrong("it is another account's"));
        }
        let (prefix, id) =
            last.split_once('/').ok_or_else(|| wrong("its last segment needs a kind and an id"))?;
        if prefix.is_empty() || id.is_empty() || last.len() > 512 || last.contains(char::is_control) {
            return Err(wrong("its last segment needs a kind and an id"));
        }
        Ok(Self {
            service: service.to_owned(),
            region: region.to_owned(),
            account,
            prefix: prefix.to_owned(),
            id: id.to_owned(),
        })
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, region, account, prefix, id } = self;
        write!(f, "qcs::{service}:{region}:uin/{account}:{prefix}/{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_clients_write_them() {
        let full = "qcs::kms:ap-guangzhou:uin/7:key/creatorUin/7/abc";
        let name = ResourceName::parse(full, 7).unwrap();
        assert_eq!((name.prefix.as_str(), name.id.as_str()), ("key", "creatorUin/7/abc"));
        assert_eq!(name.to_string(), full);
        for own in
            ["qcs::kms:ap-guangzhou:uin/:key/creatorUin/7/abc", "qcs::kms:ap-guangzhou::key/creatorUin/7/abc"]
        {
            assert_eq!(ResourceName::parse(own, 7).unwrap(), name);
        }
        for wrong in [
            "",
            "kms",
            "qcs::kms:ap-guangzhou:uin/7",
            "qcs:x:kms:ap-guangzhou:uin/7:key/a",
            "qcs::what::uin/7:key/a",
            "qcs::kms:mars:uin/7:key/a",
            "qcs::kms::uin/8:key/a",
            "qcs::kms::uid/7:key/a",
            "qcs::kms::uin/7:key",
            "qcs::kms::uin/7:key/",
        ] {
            assert!(ResourceName::parse(wrong, 7).is_err(), "{wrong}");
        }
    }
}
