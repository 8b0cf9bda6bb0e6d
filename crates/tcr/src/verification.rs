//! What people need to verify the signatures of a namespace, and what is not signed yet.

use rookery_gateway::Refusal as _;
use rookery_signing::{certificate, public_key_pem};
use rookery_store::StoreError;
use serde::Serialize;
use serde_json::{Value, json};

use crate::Tcr;
use crate::error::Error;
use crate::instances;
use crate::signature_policies;
use crate::signatures::in_namespace;
use crate::signing_queue::SigningQueue;

/// What verifiers of a namespace's images are given. The field names of the JSON form are those of the fields in camel case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Name of the signature policy.
    pub policy: String,
    /// Whether pushes are signed now.
    pub enabled: bool,
    /// The key, as `qcs::kms:<region>:uin/<account>:key/<id>`.
    pub key: String,
    /// `<host>/<namespace>`: what the names in the simple-signing format begin with.
    pub signed_as: String,
    /// The public key in PEM, for cosign and containers-policy.json.
    pub public_key: String,
    /// The X.509 certificate of the key in PEM, for a Notation trust store of type `ca`.
    pub certificate: String,
    /// The certificate's subject, in the notation of Notation's trust policies.
    pub subject: String,
    /// An example of a strict Notation trust policy that trusts this key alone, in a trust store `rookery`.
    pub trust_policy: Value,
    /// The images of the namespace that wait for a signature in some format.
    pub pending: Vec<PendingSignature>,
}

/// An image that is not signed yet, or not in all formats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingSignature {
    /// `<namespace>/<repository>`.
    pub repository: String,
    /// The digest of the manifest.
    pub digest: String,
    /// How often signing has failed.
    pub failures: u32,
    /// Why it failed last; `null` before the first try.
    pub last_error: Option<String>,
}

/// Why it cannot be said how to verify: the key service does not answer and has not answered before, or the store failed.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub struct VerificationError {
    told: String,
    #[source]
    cause: Error,
}

impl From<Error> for VerificationError {
    fn from(cause: Error) -> Self {
        let told = cause.internal().map_or_else(|| cause.to_string(), |more| format!("{cause} ({more})"));
        Self { told, cause }
    }
}

impl From<StoreError> for VerificationError {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl Tcr {
    /// How to verify the images of a namespace: by the instance's id (`tcr-xxxxxxxx`) and the namespace's name. `None` where there
    /// is no such instance, or the namespace has no signature policy. The key's certificate is made if there is none yet.
    pub async fn verification(
        &self,
        registry_id: &str,
        namespace: &str,
    ) -> Result<Option<Verification>, VerificationError> {
        let found = self.store.read(|view| {
            let Some(instance) = instances::find(view, registry_id)? else {
                return Ok::<_, StoreError>(None);
            };
            let Some(policy) = signature_policies::find(view, &instance, namespace)? else { return Ok(None) };
            let pending = in_namespace::<SigningQueue>(view, &instance, namespace)?;
            Ok(Some((instance, policy, pending)))
        })?;
        let Some((instance, policy, pending)) = found else { return Ok(None) };
        let key = policy.key(&instance.scope);
        let credentials = match self.signing.credentials(&key).await {
            Ok(credentials) => credentials,
            // What was signed stays verifiable when the key is gone.
            Err(error) => self.signing.kept_credentials(&key)?.ok_or(error)?,
        };
        let subject = certificate::subject(&key);
        Ok(Some(Verification {
            enabled: !policy.disabled,
            key: key.to_string(),
            signed_as: policy.docker_reference(&instance, &self.suffix, namespace),
            policy: policy.name,
            public_key: public_key_pem(&credentials.public_key),
            certificate: credentials.certificate.pem(),
            trust_policy: trust_policy(&subject),
            subject,
            pending: pending
                .into_iter()
                .map(|((_, repository, digest), row)| PendingSignature {
                    repository,
                    digest,
                    failures: row.failures,
                    last_error: row.last_error,
                })
                .collect(),
        }))
    }
}

fn trust_policy(subject: &str) -> Value {
    json!({
        "version": "1.0",
        "trustPolicies": [{
            "name": "rookery",
            "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"},
            "trustStores": ["ca:rookery"],
            "trustedIdentities": [format!("x509.subject: {subject}")]
        }]
    })
}
