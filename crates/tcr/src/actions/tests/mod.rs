//! The product as its callers meet it: actions with typed requests, pushes through the registry, a key service that can be
//! broken.

mod access;
mod images;
mod instances;
mod namespaces;
mod repositories;
mod schedules;
mod signature_formats;
mod signing;
mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use bytes::Bytes;
use parking_lot::Mutex;
use rookery_api::tcr::{
    CreateInstanceRequest, CreateNamespaceRequest, CreateSignaturePolicyRequest, ErrorCode,
};
use rookery_gateway::{
    Account, Call, Caller, Circumstances, Credential, CredentialError, Decision, Identity, Language,
    Principal, Question, Refusal as _, RequestId,
};
use rookery_registry::{Digest, Origin, Reference, RegistryId, Repository, Tag};
use rookery_seal::Seal;
use rookery_signing::{Algorithm, BoxFuture, KeyDescription, KeyName, KeyUsage, Signer, SignerError};
use rookery_store::Store;
use rookery_world::World;
use tempfile::TempDir;
use time::macros::datetime;

use crate::actions::instance::create_instance::create_instance;
use crate::actions::namespace::create_namespace::create_namespace;
use crate::actions::signature::create_signature_policy::create_signature_policy;
use crate::error::Error;
use crate::{Options, SUFFIX, Tcr};

pub(super) const UIN: u64 = 100_000_000_001;
pub(super) const REGION: &str = "ap-guangzhou";
/// A key of the key service, for RSA.
pub(super) const RSA_KEY: &str = "08408a30-0416-11ed-abdc-52540036b432";
/// A key of the key service, for ECDSA.
pub(super) const ECC_KEY: &str = "18408a30-0416-11ed-abdc-52540036b432";

/// Who answers for rights: everybody may do everything but what is listed.
#[derive(Debug, Default)]
pub(super) struct Rights {
    /// Operations, a blank, and the end of a resource's name.
    pub(super) denied: Mutex<Vec<String>>,
    /// What was asked.
    pub(super) asked: Mutex<Vec<String>>,
}

impl Identity for Rights {
    fn credential(&self, _: &str, _: Option<&str>) -> Result<Credential, CredentialError> {
        Err(CredentialError::NotFound)
    }

    fn decide(&self, caller: &Caller, question: &Question<'_>) -> Decision {
        let asked = format!("{} {} {}", caller.user_id(), question.operation, question.resources.concat());
        self.asked.lock().push(asked.clone());
        if self.denied.lock().iter().any(|denied| asked.ends_with(denied)) {
            return Decision::Denied { resource: question.resources.concat(), reason: "test".to_owned() };
        }
        Decision::Allowed("test".into())
    }
}

/// A product over a store in memory, and what it stands on.
pub(super) struct Bench {
    pub(super) tcr: Arc<Tcr>,
    pub(super) world: World,
    pub(super) store: Store,
    pub(super) seal: Seal,
    pub(super) signer: Arc<FakeSigner>,
    pub(super) rights: Arc<Rights>,
    directory: TempDir,
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let world = World::pinned(datetime!(2024-12-10 14:04:56.806284 UTC), 1);
        let (store, seal, signer) =
            (Store::in_memory(), Seal::ephemeral().unwrap(), Arc::new(FakeSigner::default()));
        let rights = Arc::new(Rights::default());
        let directory = tempfile::tempdir().unwrap();
        let mut options = Options::new(directory.path(), SUFFIX);
        options.pulse = std::time::Duration::from_millis(1);
        options.sigstore_bundles = true;
        change(&mut options);
        let tcr = Tcr::new(
            options,
            store.clone(),
            seal.clone(),
            world.clone(),
            Arc::clone(&signer) as _,
            Arc::clone(&rights) as _,
        );
        Self { tcr: tcr.await.unwrap(), world, store, seal, signer, rights, directory }
    }

    /// The product as a process finds it that starts after this one has ended.
    pub(super) async fn restarted(&self) -> Arc<Tcr> {
        let mut options = Options::new(self.directory.path(), SUFFIX);
        options.pulse = std::time::Duration::from_millis(1);
        options.sigstore_bundles = true;
        let (store, seal, world) = (self.store.clone(), self.seal.clone(), self.world.clone());
        Tcr::new(options, store, seal, world, Arc::clone(&self.signer) as _, Arc::clone(&self.rights) as _)
            .await
            .unwrap()
    }

    /// A running instance.
    pub(super) async fn instance(&self, name: &str, edition: &str) -> String {
        let request = CreateInstanceRequest {
            registry_name: name.to_owned(),
            registry_type: edition.to_owned(),
            ..CreateInstanceRequest::default()
        };
        create_instance(&self.tcr, call(request)).await.unwrap().registry_id
    }

    /// A namespace of an instance.
    pub(super) async fn namespace(&self, id: &str, name: &str, public: bool) {
        let request = CreateNamespaceRequest {
            registry_id: id.to_owned(),
            namespace_name: name.to_owned(),
            is_public: public,
            ..CreateNamespaceRequest::default()
        };
        create_namespace(&self.tcr, call(request)).await.unwrap();
    }

    /// A premium instance `demo1` with a private namespace `library`.
    pub(super) async fn library(&self) -> String {
        let id = self.instance("demo1", "premium").await;
        self.namespace(&id, "library", false).await;
        id
    }

    /// A policy for `library`.
    pub(super) async fn policy(&self, id: &str, key: &str) {
        create_signature_policy(&self.tcr, call(policy_request(id, key))).await.unwrap();
    }

    /// Pushes an image whose one layer is `content`; it becomes another image with other content only.
    pub(super) async fn push(&self, id: &str, name: &str, tag: &str, content: &str) -> Digest {
        self.try_push(id, name, tag, content).await.unwrap()
    }

    pub(super) async fn try_push(
        &self,
        id: &str,
        name: &str,
        tag: &str,
        content: &str,
    ) -> Result<Digest, rookery_registry::Error> {
        let (registry, repository) = (self.tcr.registry(), repository(id, name));
        let config = format!(r#"{{"architecture":"amd64","config":{{"Labels":{{"of":"{content}"}}}}}}"#);
        let config = (config.len(), registry.put_blob(&repository, Bytes::from(config)).await?);
        let layer = registry.put_blob(&repository, Bytes::from(content.to_owned())).await?;
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","size":{},"digest":"{}"}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","size":{},"digest":"{layer}"}}]}}"#,
            config.0,
            config.1,
            content.len()
        );
        let reference = Reference::Tag(Tag::new(tag).unwrap());
        let stored = registry
            .put_manifest(&repository, &reference, OCI, Bytes::from(manifest), Origin::Client(None))
            .await?;
        Ok(stored.digest)
    }
}

pub(super) const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

pub(super) fn repository(id: &str, name: &str) -> Repository {
    Repository::new(RegistryId::new(id), name).unwrap()
}

pub(super) fn policy_request(id: &str, key: &str) -> CreateSignaturePolicyRequest {
    CreateSignaturePolicyRequest {
        registry_id: id.to_owned(),
        name: "library 加签".to_owned(),
        namespace_name: "library".to_owned(),
        kms_id: key.to_owned(),
        kms_region: String::new(),
        domain: None,
        disabled: Some(false),
    }
}

/// A call of the root of the account in Guangzhou.
pub(super) fn call<R>(request: R) -> Call<R> {
    call_of(UIN, REGION, request)
}

pub(super) fn call_of<R>(uin: u64, region: &str, request: R) -> Call<R> {
    Call {
        request,
        caller: Caller::new(Account { uin, app_id: 1_251_707_795 }, Principal::Root, "AKIDtest"),
        region: region.to_owned(),
        language: Language::English,
        request_id: RequestId(uuid::Uuid::nil()),
        circumstances: Circumstances::inside(time::OffsetDateTime::UNIX_EPOCH),
    }
}

/// The code with which a call was refused.
pub(super) fn code<T>(result: Result<T, Error>) -> ErrorCode {
    result.err().expect("the call is refused").code()
}

/// A key service with one RSA and one ECC key in Guangzhou.
#[derive(Default)]
pub(super) struct FakeSigner {
    /// What the service answers for a key instead of signing.
    pub(super) broken: Mutex<HashMap<String, SignerError>>,
    /// The one algorithm that the service does not offer at the moment.
    pub(super) missing: Mutex<Option<Algorithm>>,
    /// How often it has signed.
    pub(super) signed: Mutex<usize>,
}

struct Keys {
    rsa: RsaKeyPair,
    ecc: EcdsaKeyPair,
}

/// Made once: RSA keys take their time.
fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        ecc: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
    })
}

impl FakeSigner {
    pub(super) fn break_key(&self, key: &str, error: SignerError) {
        self.broken.lock().insert(key.to_owned(), error);
    }

    pub(super) fn mend(&self) {
        self.broken.lock().clear();
        *self.missing.lock() = None;
    }

    /// The public key of a key: PKCS#1 for RSA, a point for ECC.
    pub(super) fn public_key(key: &str) -> Vec<u8> {
        match key {
            RSA_KEY => keys().rsa.public_key().as_ref().to_vec(),
            _ => keys().ecc.public_key().as_ref().to_vec(),
        }
    }

    fn usage(&self, key: &KeyName) -> Result<KeyUsage, SignerError> {
        if let Some(error) = self.broken.lock().get(&key.id) {
            return Err(error.clone());
        }
        match (key.account, key.region.as_str(), key.id.as_str()) {
            (UIN, REGION, RSA_KEY) => Ok(KeyUsage::Rsa2048),
            (UIN, REGION, ECC_KEY) => Ok(KeyUsage::EccP256),
            _ => Err(SignerError::NoSuchKey),
        }
    }

    fn describe_now(&self, key: &KeyName) -> Result<KeyDescription, SignerError> {
        let (usage, enabled) = match self.usage(key) {
            // A disabled key can be described.
            Err(SignerError::KeyDisabled) => (KeyUsage::Rsa2048, false),
            told => (told?, true),
        };
        let spki: PublicKeyX509Der<'_> = match usage {
            KeyUsage::Rsa2048 => keys().rsa.public_key().as_der().unwrap(),
            KeyUsage::EccP256 => keys().ecc.public_key().as_der().unwrap(),
        };
        Ok(KeyDescription { usage, public_key: spki.as_ref().to_vec(), enabled })
    }

    fn sign_now(&self, key: &KeyName, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let rsa = |padding| {
            let mut signature = vec![0; keys().rsa.public_modulus_len()];
            keys().rsa.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        let usage = self.usage(key)?;
        if *self.missing.lock() == Some(algorithm) {
            return Err(SignerError::Unavailable("the algorithm is not offered".to_owned()));
        }
        let signature = match (usage, algorithm) {
            (KeyUsage::Rsa2048, Algorithm::RsaPkcs1Sha256) => rsa(&RSA_PKCS1_SHA256),
            (KeyUsage::Rsa2048, Algorithm::RsaPssSha256) => rsa(&RSA_PSS_SHA256),
            (KeyUsage::EccP256, Algorithm::EcdsaP256Sha256) => {
                keys().ecc.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
            }
            _ => return Err(SignerError::UnsuitableUsage),
        };
        *self.signed.lock() += 1;
        Ok(signature)
    }
}

impl Signer for FakeSigner {
    fn describe<'a>(&'a self, key: &'a KeyName) -> BoxFuture<'a, Result<KeyDescription, SignerError>> {
        Box::pin(std::future::ready(self.describe_now(key)))
    }

    fn sign<'a>(
        &'a self,
        key: &'a KeyName,
        algorithm: Algorithm,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignerError>> {
        Box::pin(std::future::ready(self.sign_now(key, algorithm, message)))
    }
}
