//! KMS: keys that never leave it, and what is signed with them.
//!
//! Implemented are the asymmetric keys that sign: RSA-2048 (PKCS#1 v1.5 and PSS) and ECDSA on P-256, both over SHA-256. Key
//! pairs are made by aws-lc-rs and kept as sealed PKCS#8; what a signature is worth can be checked with `openssl` against the
//! public key. Other usages and external key material are refused with `UnsupportedOperation` and words that say so.
//!
//! Keys belong to an account and a region. [`Kms`] is also a [`rookery_signing::Signer`], so that another product can sign
//! without knowing this one.

mod actions;
mod error;
mod keys;
mod listing;
mod loaded;
mod material;
mod message;
#[cfg(test)]
mod openssl;
mod primitives;
mod signer;
mod wrapping;

use std::sync::Arc;

use rookery_gateway::{Call, Resource};
use rookery_seal::Seal;
use rookery_signing::Algorithm;
use rookery_store::{Read, Regional, Store};
use rookery_world::World;

pub use self::actions::register;
#[cfg(test)]
use self::actions::scene;
pub use self::error::Error;
pub use self::keys::KeyId;
use self::keys::{Key, KeyState, Keys, Material, Materials};
use self::loaded::KeyPairs;
use self::material::{Digest, KeyPair};

/// The key service of the whole cloud.
pub struct Kms {
    store: Store,
    seal: Seal,
    world: World,
    loaded: KeyPairs,
}

impl std::fmt::Debug for Kms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kms").finish_non_exhaustive()
    }
}

impl Kms {
    /// A key service over the keys in `store`, whose private halves open with `seal`.
    #[must_use]
    pub fn new(store: Store, seal: Seal, world: World) -> Arc<Self> {
        Arc::new(Self { store, seal, world, loaded: KeyPairs::default() })
    }

    /// The key of that id, whatever its state.
    fn key(&self, scope: &Regional, id: &KeyId) -> Result<Key, Error> {
        self.store
            .read(|view| view.get::<Keys>(scope, id.as_str())?.ok_or_else(|| Error::KeyNotFound(id.clone())))
    }

    /// The key of that id, provided that it may be used.
    fn usable_key(&self, scope: &Regional, id: &KeyId) -> Result<Key, Error> {
        let key = self.key(scope, id)?;
        match key.state {
            KeyState::Enabled => Ok(key),
            KeyState::Disabled => Err(Error::KeyDisabled(id.clone())),
        }
    }

    /// The key pair of that key, as it is kept.
    fn material(&self, scope: &Regional, id: &KeyId) -> Result<Material, Error> {
        self.store.read(|view| {
            view.get::<Materials>(scope, id.as_str())?.ok_or(Error::Damaged("a key has no material"))
        })
    }

    /// Signs with an enabled key. `algorithm` is `None` for one that is known and suits no key that can be made here.
    async fn sign_digest(
        &self,
        scope: &Regional,
        id: &KeyId,
        algorithm: Option<Algorithm>,
        digest: &Digest,
    ) -> Result<Vec<u8>, Error> {
        let key = self.usable_key(scope, id)?;
        let algorithm = key.usage.suited(algorithm)?;
        self.key_pair(scope, id, &key).await?.sign(algorithm, digest)
    }

    /// The unsealed key pair of `key`, from memory where it has been used before.
    async fn key_pair(&self, scope: &Regional, id: &KeyId, key: &Key) -> Result<Arc<KeyPair>, Error> {
        let sealed = self.material(scope, id)?.private_key;
        if let Some(pair) = self.loaded.get(scope, id, &sealed) {
            return Ok(pair);
        }
        let pkcs8 = self.seal.open(&keys::seal_context(id), &sealed)?;
        let usage = key.usage;
        // Parsing checks the whole key, which takes long enough for RSA to hold up other calls.
        let pair = tokio::task::spawn_blocking(move || KeyPair::from_pkcs8(usage, &pkcs8))
            .await
            .map_err(|_| Error::Cryptography("a key could not be parsed"))??;
        let pair = Arc::new(pair);
        self.loaded.keep(scope, id, sealed, &pair);
        // The key may have been disabled meanwhile. That forgets the pair after the state is written, so either it comes
        // after `keep` or this sees the state.
        if self.key(scope, id)?.state != KeyState::Enabled {
            self.loaded.forget(scope, id);
        }
        Ok(pair)
    }

    /// Brings a key into `state`. A key that is in it already stays as it is, and that is no error: no source says that the
    /// platform refuses, and clients repeat both calls.
    async fn change_state(&self, scope: Regional, id: KeyId, state: KeyState) -> Result<(), Error> {
        let (place, name) = (scope.clone(), id.clone());
        self.store
            .write(move |tx| {
                let mut key =
                    tx.get::<Keys>(&place, name.as_str())?.ok_or_else(|| Error::KeyNotFound(name.clone()))?;
                if key.state == state {
                    return Ok(());
                }
                key.state = state;
                Ok::<_, Error>(tx.put::<Keys>(&place, &name.to_string(), &key)?)
            })
            .await?;
        if state == KeyState::Disabled {
            self.loaded.forget(&scope, &id);
        }
        Ok(())
    }
}

/// Whose keys a call works with.
fn scope<R>(call: &Call<R>) -> Regional {
    Regional { uin: call.caller.account.uin, region: call.region.clone() }
}

/// The resource of one key. Policies name it `key/creatorUin/<creator>/<id>`; a request tells only the id, which is unique, so
/// the creator is asked for as `*`.
fn key_resource(id: &str) -> Vec<Resource> {
    vec![Resource::named(format!("key/creatorUin/*/{id}"))]
}

#[cfg(test)]
mod tests {
    use rookery_seal::SealError;

    use super::*;
    use crate::scene::{ECC, RSA, Scene};

    #[tokio::test]
    async fn keys_survive_the_process_but_not_another_master_key() {
        let directory = tempfile::tempdir().unwrap();
        let seal = Seal::ephemeral().unwrap();
        let reopen = |scene: Scene, seal: &Seal| {
            let _alone = openssl::no_children();
            drop(scene);
            Scene::over(Store::open(directory.path()).unwrap(), seal.clone())
        };
        let scene = Scene::over(Store::open(directory.path()).unwrap(), seal.clone());
        let (rsa, ecc) = (scene.create("rsa", RSA).await, scene.create("ecc", ECC).await);
        scene.disable(&ecc).await;
        let rsa_key = scene.public_key_pem(&rsa).await;

        let scene = reopen(scene, &seal);
        assert_eq!(scene.public_key_pem(&rsa).await, rsa_key);
        let signature = scene.sign(&rsa, "RSA_PKCS1_SHA_256", b"text").await.unwrap();
        if let Some(openssl) = openssl::Workshop::open() {
            assert!(openssl.verifies_message(&rsa_key, openssl::Padding::None, b"text", &signature));
        }
        assert!(matches!(scene.sign(&ecc, "ECC_P256_R1", b"text").await, Err(Error::KeyDisabled(_))));
        scene.enable(&ecc).await;
        assert!(scene.sign(&ecc, "ECC_P256_R1", b"text").await.is_ok());

        let scene = reopen(scene, &Seal::ephemeral().unwrap());
        let refusal = scene.sign(&rsa, "RSA_PKCS1_SHA_256", b"text").await.unwrap_err();
        assert!(matches!(refusal, Error::Seal(SealError::Closed)));
    }

    #[test]
    fn what_goes_wrong_inside_is_told_to_the_log_alone() {
        use rookery_api::ErrorCode as _;
        use rookery_gateway::{Language, Refusal as _};
        for error in [
            Error::Store(rookery_store::StoreError::Closed),
            Error::Seal(SealError::Closed),
            Error::Cryptography("a key pair could not be generated"),
            Error::Damaged("a key has no material"),
        ] {
            assert_eq!(error.code().name(), "InternalError");
            let internal = error.internal().unwrap();
            for language in [Language::English, Language::Chinese] {
                assert!(!error.message(language).contains(&internal));
            }
        }
    }

    #[test]
    fn the_nine_actions_are_registered() {
        let scene = Scene::new();
        let actions = register(&scene.kms);
        let registered = actions.coverage().filter(|(_, _, implemented)| *implemented);
        let names: Vec<_> = registered.map(|(_, action, _)| action.name).collect();
        assert_eq!(
            names,
            [
                "CreateKey",
                "DescribeKey",
                "DisableKey",
                "EnableKey",
                "GetPublicKey",
                "ListKeyDetail",
                "ListKeys",
                "SignByAsymmetricKey",
                "VerifyByAsymmetricKey",
            ]
        );
    }
}
