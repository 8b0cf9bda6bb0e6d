//! Namespaces: what an instance is divided into, and what decides who may pull.

use rookery_api::tcr::{CVEWhitelistItem, ErrorCode, KeyValueString, TcrNamespaceInfo};
use rookery_store::{Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::cloud_tags::{CloudTags, Tagged};
use crate::error::{Counted, Error, Rule};
use crate::instances::Instance;
use crate::moments::Moment;

const SEVERITY: Rule = Rule {
    english: "must be `low`, `medium` or `high`, or empty",
    chinese: "取值须为low、medium、high或空",
};
const CVE: Rule =
    Rule { english: "must hold ids like CVE-2024-1234", chinese: "须为形如CVE-2024-1234的漏洞编号" };

/// Every namespace, by instance and name.
pub(crate) struct Namespaces;

/// What is kept of a namespace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NamespaceRow {
    /// `NamespaceId`, unique within the instance and never used again.
    pub(crate) number: i64,
    pub(crate) created_at: Moment,
    pub(crate) public: bool,
    pub(crate) vulnerabilities: VulnerabilityGate,
    pub(crate) tags: CloudTags,
}

/// What a namespace is told about vulnerabilities.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct VulnerabilityGate {
    pub(crate) auto_scan: bool,
    pub(crate) prevent: bool,
    pub(crate) severity: String,
    pub(crate) allowed: Vec<String>,
}

/// The members of a request that change a [`VulnerabilityGate`].
#[derive(Debug)]
pub(crate) struct GateChange {
    pub(crate) auto_scan: Option<bool>,
    pub(crate) prevent: Option<bool>,
    pub(crate) severity: Option<String>,
    pub(crate) allowed: Option<Vec<CVEWhitelistItem>>,
}

impl GateChange {
    /// Refuses what is no severity or no CVE.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let invalid = |parameter, rule| Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter };
        if self.severity.as_deref().is_some_and(|word| !matches!(word, "" | "low" | "medium" | "high")) {
            return Err(invalid("Severity", SEVERITY));
        }
        if self.allowed.iter().flatten().any(|item| !item.cveid.as_deref().is_some_and(is_cve)) {
            return Err(invalid("CVEWhitelistItems", CVE));
        }
        Ok(())
    }

    /// Applies what the request said and leaves the rest.
    pub(crate) fn apply(&self, gate: &mut VulnerabilityGate) {
        gate.auto_scan = self.auto_scan.unwrap_or(gate.auto_scan);
        gate.prevent = self.prevent.unwrap_or(gate.prevent);
        if let Some(severity) = &self.severity {
            gate.severity.clone_from(severity);
        }
        if let Some(allowed) = &self.allowed {
            gate.allowed = allowed.iter().filter_map(|item| item.cveid.clone()).collect();
        }
    }
}

fn is_cve(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    id.strip_prefix("CVE-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(year, number)| year.len() == 4 && digits(year) && digits(number))
}

impl NamespaceRow {
    /// A private namespace without anything else; its number is given when it is made.
    pub(crate) fn private(created_at: Moment) -> Self {
        let (vulnerabilities, tags) = (VulnerabilityGate::default(), CloudTags::default());
        Self { number: 0, created_at, public: false, vulnerabilities, tags }
    }

    /// The namespace as replies show it.
    pub(crate) fn describe(&self, name: String) -> TcrNamespaceInfo {
        let gate = &self.vulnerabilities;
        let metadata =
            [("public", self.public), ("auto_scan", gate.auto_scan), ("prevent_vul", gate.prevent)];
        TcrNamespaceInfo {
            name,
            creation_time: self.created_at.utc(),
            public: self.public,
            namespace_id: self.number,
            tag_specification: self.tags.specification(Tagged::Namespace),
            metadata: metadata
                .map(|(key, value)| KeyValueString { key: key.to_owned(), value: value.to_string() })
                .into(),
            cve_whitelist_items: gate
                .allowed
                .iter()
                .map(|id| CVEWhitelistItem { cveid: Some(id.clone()) })
                .collect(),
            auto_scan: gate.auto_scan,
            prevent_vul: gate.prevent,
            severity: gate.severity.clone(),
        }
    }
}

impl Table for Namespaces {
    const NAME: &'static str = "tcr.namespaces";
    type Scope = Regional;
    type Key = (String, String);
    type Row = NamespaceRow;
}

/// The namespace of that name in the instance.
pub(crate) fn find(
    read: &impl Read,
    instance: &Instance,
    name: &str,
) -> Result<Option<NamespaceRow>, StoreError> {
    read.get::<Namespaces>(&instance.scope, &(instance.id.as_str(), name))
}

/// Makes a namespace with the next number of its instance, within the quota. The name must be free.
pub(crate) fn create(
    tx: &mut Transaction<'_>,
    mut instance: Instance,
    name: &str,
    row: NamespaceRow,
) -> Result<(), Error> {
    let limit = instance.row.edition.namespaces();
    if tx.count::<Namespaces>(&instance.scope, Scan::all().prefix(instance.id.as_str()))? >= limit {
        let code = ErrorCode::OperationDenied;
        return Err(Error::Quota { counted: Counted::Namespaces, limit, code });
    }
    let row = NamespaceRow { number: instance.row.next_namespace, ..row };
    instance.row.next_namespace += 1;
    instance.put(tx)?;
    Ok(tx.put::<Namespaces>(&instance.scope, &(instance.id.clone(), name.to_owned()), &row)?)
}

/// As [`find`], refused with `code` where there is none.
pub(crate) fn existing(
    read: &impl Read,
    instance: &Instance,
    name: &str,
    code: ErrorCode,
) -> Result<NamespaceRow, Error> {
    find(read, instance, name)?.ok_or_else(|| Error::NoNamespace { name: name.to_owned(), code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_ids_have_a_year_and_a_number() {
        for id in ["CVE-2024-1234", "CVE-1999-0001"] {
            assert!(is_cve(id), "{id}");
        }
        for id in ["", "CVE-24-1", "CVE-2024-", "cve-2024-1234", "CVE-2024-12x"] {
            assert!(!is_cve(id), "{id}");
        }
    }
}
