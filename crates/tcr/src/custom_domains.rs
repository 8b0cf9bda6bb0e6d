//! Custom domains: further hosts of an instance, which users bind (`tcr.md` §1.17).
//!
//! `CertificateId` names a certificate of the SSL product, which is not here: it is kept and shown, and the domain is served, by server
//! name, with a certificate of the cloud's own authority, as every other host is. A domain works as soon as it is bound.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use rookery_api::tcr::CustomizedDomainInfo;
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, Store, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::instances::Instance;
use crate::moments::Moment;

/// The domains, by instance and name in lower case.
pub(crate) struct CustomDomains;

/// What is kept of a domain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DomainRow {
    pub(crate) certificate: String,
    pub(crate) created_at: Moment,
}

impl Table for CustomDomains {
    const NAME: &'static str = "tcr.custom-domains";
    type Scope = Regional;
    type Key = (String, String);
    type Row = DomainRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByDomain];
}

/// A domain is one instance's alone.
pub(crate) struct ByDomain;

impl Index for ByDomain {
    type Table = CustomDomains;
    type Value = String;
    const NAME: &'static str = "domain";
    const UNIQUE: bool = true;

    fn value(_: &Regional, (_, domain): &(String, String), _: &DomainRow) -> Option<String> {
        Some(domain.clone())
    }
}

impl DomainRow {
    /// The domain as replies show it.
    pub(crate) fn describe(&self, instance: &Instance, domain: String) -> CustomizedDomainInfo {
        CustomizedDomainInfo {
            registry_id: instance.id.clone(),
            cert_id: self.certificate.clone(),
            domain_name: domain,
            status: "SUCCESS".to_owned(),
        }
    }
}

/// The domains of an instance, the oldest first.
pub(crate) fn list(read: &impl Read, instance: &Instance) -> Result<Vec<(String, DomainRow)>, StoreError> {
    let rows = read.scan::<CustomDomains>(&instance.scope, Scan::all().prefix(instance.id.as_str()))?;
    let mut rows: Vec<_> = rows.into_iter().map(|((_, domain), row)| (domain, row)).collect();
    rows.sort_by(|(one_name, one), (other_name, other)| {
        (one.created_at, one_name).cmp(&(other.created_at, other_name))
    });
    Ok(rows)
}

/// The instance of each domain, in memory: every request to the registry asks. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Domains(Arc<RwLock<HashMap<String, String>>>);

impl Domains {
    /// Reads all of them anew; for the start, and after each change.
    pub(crate) fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        // Under the lock, so that the last to read is the last to write.
        let mut domains = self.0.write();
        let rows = store.read(|view| view.scan_all::<CustomDomains>())?;
        *domains = rows.into_iter().map(|(_, (instance, domain), _)| (domain, instance)).collect();
        Ok(())
    }

    /// The id of the instance that a host, in lower case and without a port, is a domain of.
    pub(crate) fn instance(&self, host: &str) -> Option<String> {
        self.0.read().get(host).cloned()
    }
}
