//! Signature policies: which key signs what is pushed into a namespace, and under which host.

use rookery_signing::{KeyDescription, KeyName, KeyUsage};
use rookery_store::{Read, Regional, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::instances::Instance;
use crate::moments::Moment;

/// The policy of each namespace that has one, by instance and namespace.
pub(crate) struct SignaturePolicies;

/// What is kept of a policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PolicyRow {
    pub(crate) name: String,
    pub(crate) kms_id: String,
    pub(crate) kms_region: String,
    /// A key's usage never changes, so it is asked for once.
    pub(crate) usage: PolicyKeyUsage,
    /// The host in the signatures; `None` for the instance's own.
    pub(crate) domain: Option<String>,
    pub(crate) disabled: bool,
    /// Whether images also get a Sigstore bundle, as the server was told when the policy was made.
    #[serde(default)]
    pub(crate) bundle: bool,
    pub(crate) created_at: Moment,
}

/// The kinds of keys that sign images here. The platform documents RSA only; ECC is taken as well, because cosign verifies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PolicyKeyUsage {
    Rsa2048,
    EccP256,
}

impl From<&KeyDescription> for PolicyKeyUsage {
    fn from(key: &KeyDescription) -> Self {
        match key.usage {
            KeyUsage::Rsa2048 => Self::Rsa2048,
            KeyUsage::EccP256 => Self::EccP256,
        }
    }
}

impl From<PolicyKeyUsage> for KeyUsage {
    fn from(usage: PolicyKeyUsage) -> Self {
        match usage {
            PolicyKeyUsage::Rsa2048 => Self::Rsa2048,
            PolicyKeyUsage::EccP256 => Self::EccP256,
        }
    }
}

impl PolicyRow {
    /// The key that signs: the account's own.
    pub(crate) fn key(&self, scope: &Regional) -> KeyName {
        KeyName { account: scope.uin, region: self.kms_region.clone(), id: self.kms_id.clone() }
    }

    /// What the signatures say that the image is called: `<host>/<namespace>/<repository>`.
    pub(crate) fn docker_reference(&self, instance: &Instance, suffix: &str, repository: &str) -> String {
        match &self.domain {
            Some(domain) => format!("{domain}/{repository}"),
            None => format!("{}/{repository}", instance.row.public_domain(suffix)),
        }
    }
}

impl Table for SignaturePolicies {
    const NAME: &'static str = "tcr.signature-policies";
    type Scope = Regional;
    type Key = (String, String);
    type Row = PolicyRow;
}

/// The policy of a namespace.
pub(crate) fn find(
    read: &impl Read,
    instance: &Instance,
    namespace: &str,
) -> Result<Option<PolicyRow>, StoreError> {
    read.get::<SignaturePolicies>(&instance.scope, &(instance.id.as_str(), namespace))
}

/// Whether any namespace of the instance has a policy.
pub(crate) fn any(read: &impl Read, instance: &Instance) -> Result<bool, StoreError> {
    let scan = Scan::all().prefix(instance.id.as_str()).limit(1);
    Ok(read.count::<SignaturePolicies>(&instance.scope, scan)? > 0)
}
