//! Resources of one kind in one region, as requests name them that give service, prefix, region and ids apart.

use crate::error::Error;
use crate::resource_name::ResourceName;

/// How many resources a request names at most, where nothing else is said.
pub(crate) const RESOURCES: usize = 50;

/// What is common to the names of resources of one kind.
pub(crate) struct Kind {
    service: String,
    prefix: String,
    region: String,
}

impl Kind {
    /// Reads `ServiceType`, `ResourcePrefix` and `ResourceRegion`, which is empty for products without regions.
    pub(crate) fn read(service: String, prefix: String, region: String) -> Result<Self, Error> {
        check_service(&service)?;
        if prefix.is_empty() {
            return Err(Error::Prefix);
        }
        check_region(&region)?;
        Ok(Self { service, prefix, region })
    }

    /// The names of the resources of those ids: one at least, and no more than `most`.
    pub(crate) fn names(
        self,
        account: u64,
        ids: Vec<String>,
        most: usize,
    ) -> Result<Vec<ResourceName>, Error> {
        if !(1..=most).contains(&ids.len()) || ids.iter().any(String::is_empty) {
            return Err(Error::ResourceIds { most });
        }
        Ok(ids.into_iter().map(|id| self.unchecked(account, id)).collect())
    }

    fn unchecked(&self, account: u64, id: String) -> ResourceName {
        let (service, region, prefix) = (self.service.clone(), self.region.clone(), self.prefix.clone());
        ResourceName { service, region, account, prefix, id }
    }
}

/// The names as they are asked for, before any of them is looked at.
pub(crate) fn asked(
    account: u64,
    service: &str,
    prefix: Option<&str>,
    region: Option<&str>,
    ids: &[String],
) -> Vec<ResourceName> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let kind = Kind { service: service.to_owned(), prefix: text(prefix), region: text(region) };
    ids.iter().map(|id| kind.unchecked(account, id.clone())).collect()
}

/// Refuses a product that does not exist.
pub(crate) fn check_service(service: &str) -> Result<(), Error> {
    let known = rookery_api::PRODUCTS.iter().any(|product| product.name == service);
    if known { Ok(()) } else { Err(Error::ServiceType { service: service.to_owned() }) }
}

/// Refuses a region that does not exist; none is one.
pub(crate) fn check_region(region: &str) -> Result<(), Error> {
    if region.is_empty() || rookery_api::region::find(region).is_some() {
        Ok(())
    } else {
        Err(Error::Region { region: region.to_owned() })
    }
}
