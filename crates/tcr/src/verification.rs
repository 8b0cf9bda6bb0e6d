//! What people need to verify the signatures of a namespace, and what is not signed yet.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rookery_gateway::Refusal as _;
use rookery_signing::{certificate, public_key_pem};
use rookery_store::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Tcr;
use crate::error::Error;
use crate::instances;
use crate::signature_policies;
use crate::signatures::{ImageKey, SignatureRow, Signatures, in_namespace};
use crate::signing_queue::{PendingRow, SigningQueue};

/// What verifiers of a namespace's images are given. The field names of the JSON form are those of the fields in camel case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// The instance's id.
    pub registry_id: String,
    /// The instance's name, the first segment by which its images are reached.
    pub instance: String,
    /// The region of the instance.
    pub region: String,
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
    /// A policy.json of containers/image (podman, skopeo, buildah, CRI-O) that takes nothing but signed images of the namespace.
    pub containers_policy: Value,
    /// The file of registries.d that says that the signatures are in the registry.
    pub containers_registries: String,
    /// The formats that every image is signed in: `simple`, `bundle`, `notation`.
    pub formats: Vec<String>,
    /// The images of the namespace that wait for a signature in some format.
    pub pending: Vec<PendingSignature>,
    /// Every image of the namespace that is signed or is to be.
    pub images: Vec<SigningState>,
}

/// How far the signing of an image is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningState {
    /// `<namespace>/<repository>`.
    pub repository: String,
    /// The digest of the manifest.
    pub digest: String,
    /// `signed` in all formats, `pending` before the first try, `failed` and to be tried again.
    pub state: String,
    /// The formats that are there.
    pub formats: Vec<String>,
    /// Why it failed last.
    pub reason: Option<String>,
    /// When it was signed last; `null` where it never was.
    pub signed_at: Option<String>,
    /// When it is tried again; `null` where nothing is to be done.
    pub next_try_at: Option<String>,
}

/// An image that is not signed yet, or not in all formats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// How to verify the images of a namespace: by the instance's id (`tcr-xxxxxxxx`) or its name, and the namespace's name. `None` where there
    /// is no such instance, or the namespace has no signature policy. The key's certificate is made if there is none yet.
    pub async fn verification(
        &self,
        registry: &str,
        namespace: &str,
    ) -> Result<Option<Verification>, VerificationError> {
        let found = self.store.read(|view| {
            let by_id = instances::find(view, registry)?;
            let found = if by_id.is_some() { by_id } else { instances::find_by_name(view, registry)? };
            let Some(instance) = found else { return Ok::<_, StoreError>(None) };
            let Some(policy) = signature_policies::find(view, &instance, namespace)? else { return Ok(None) };
            let pending = in_namespace::<SigningQueue>(view, &instance, namespace)?;
            let signed = in_namespace::<Signatures>(view, &instance, namespace)?;
            Ok(Some((instance, policy, pending, signed)))
        })?;
        let Some((instance, policy, pending, signed)) = found else { return Ok(None) };
        let key = policy.key(&instance.scope);
        let credentials = match self.signing.credentials(&key).await {
            Ok(credentials) => credentials,
            // What was signed stays verifiable when the key is gone.
            Err(error) => self.signing.kept_credentials(&key)?.ok_or(error)?,
        };
        let subject = certificate::subject(&key);
        let signed_as = policy.docker_reference(&instance, &self.suffix, namespace);
        let public_key = public_key_pem(&credentials.public_key);
        Ok(Some(Verification {
            images: states(&pending, signed),
            enabled: !policy.disabled,
            key: key.to_string(),
            containers_policy: containers_policy(&signed_as, &public_key),
            containers_registries: containers_registries(&signed_as),
            signed_as,
            formats: formats(true, policy.bundle, true),
            policy: policy.name,
            public_key,
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
            registry_id: instance.id,
            instance: instance.row.name,
            region: instance.scope.region,
        }))
    }
}

/// The names of formats, in a fixed order.
fn formats(simple: bool, bundle: bool, notation: bool) -> Vec<String> {
    let named = [("simple", simple), ("bundle", bundle), ("notation", notation)];
    named.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_owned()).collect()
}

/// The state of every image that has a row in either table.
fn states(pending: &[(ImageKey, PendingRow)], signed: Vec<(ImageKey, SignatureRow)>) -> Vec<SigningState> {
    let state =
        |(_, repository, digest): &ImageKey, there: Option<&SignatureRow>, waits: Option<&PendingRow>| {
            let state = match waits {
                None => "signed",
                Some(row) if row.failures == 0 => "pending",
                Some(_) => "failed",
            };
            SigningState {
                repository: repository.clone(),
                digest: digest.clone(),
                state: state.to_owned(),
                formats: there.map_or_else(Vec::new, |row| {
                    formats(!row.signature.is_empty(), row.bundle.is_some(), row.envelope.is_some())
                }),
                reason: waits.and_then(|row| row.last_error.clone()),
                signed_at: there.map(|row| row.made_at.utc()),
                next_try_at: waits.map(|row| row.next_try_at.utc()),
            }
        };
    let there: BTreeMap<ImageKey, SignatureRow> =
        signed.into_iter().filter(|(_, row)| !row.withdrawing).collect();
    let waiting: BTreeMap<&ImageKey, &PendingRow> = pending.iter().map(|(key, row)| (key, row)).collect();
    let keys: BTreeSet<&ImageKey> = there.keys().chain(waiting.keys().copied()).collect();
    keys.into_iter().map(|key| state(key, there.get(key), waiting.get(key).copied())).collect()
}

fn containers_policy(signed_as: &str, public_key: &str) -> Value {
    json!({
        "default": [{"type": "reject"}],
        "transports": {"docker": {signed_as: [{
            "type": "sigstoreSigned",
            "keyData": STANDARD.encode(public_key),
            "signedIdentity": {"type": "matchRepository"}
        }]}}
    })
}

fn containers_registries(signed_as: &str) -> String {
    let host = signed_as.split('/').next().unwrap_or_default();
    format!("docker:\n  {host}:\n    use-sigstore-attachments: true\n")
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
