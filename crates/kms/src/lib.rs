//! KMS: keys that never leave it, and what is encrypted, signed and decrypted with them.
//!
//! Keys belong to an account and a region. Their material is made here or imported, kept sealed, and used by the operations that the
//! key's usage ([`usage`]) and state ([`states`]) admit. What happens by the clock (deletion, expiry, rotation) is in [`timers`].
//!
//! [`Kms`] is also a [`rookery_signing::Signer`], so that another product can sign without knowing this one.

mod actions;
mod bindings;
mod context;
mod data_keys;
mod envelope;
mod error;
mod former_rows;
mod import;
mod indexes;
mod keys;
mod listing;
mod loaded;
mod material;
mod message;
#[cfg(test)]
mod openssl;
mod post_quantum;
mod primitives;
mod remembered;
mod signer;
mod states;
mod tags;
mod timers;
mod usage;
mod whitebox;
mod wrapping;

use std::sync::Arc;

use rookery_gateway::{Call, Resource};
use rookery_seal::Seal;
use rookery_store::{Read, Regional, Store, StoreError, Table, Transaction};
use rookery_world::World;

pub use self::actions::register;
#[cfg(test)]
use self::actions::scene;
pub use self::data_keys::DataKeyError;
use self::envelope::SymmetricKey;
pub use self::error::Error;
pub use self::former_rows::{move_tags_out_of_keys, name_places_of_private_keys};
pub use self::keys::KeyId;
use self::keys::{Key, Keys, Material, Materials, Version, Versions};
use self::loaded::Unsealed;
use self::material::KeyPair;
use self::message::Message;
use self::remembered::Remembered;
use self::states::{KeyState, Operation};
pub use self::tags::KeyTag;
use self::timers::Due;
use self::usage::Algorithm;
pub use self::whitebox::WhiteBoxError;
pub use self::wrapping::WrappingError;

/// The key service of the whole cloud.
pub struct Kms {
    store: Store,
    seal: Seal,
    world: World,
    keys: Remembered<(Regional, KeyId), Key>,
    materials: Remembered<(Regional, KeyId), Material>,
    versions: Remembered<(Regional, KeyId, u32), Version>,
    /// When something is due next.
    due: Remembered<(), Due>,
    pairs: Unsealed<KeyPair>,
    secrets: Unsealed<SymmetricKey>,
}

impl std::fmt::Debug for Kms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kms").finish_non_exhaustive()
    }
}

impl Kms {
    /// A key service over the keys in `store`, whose material opens with `seal`.
    #[must_use]
    pub fn new(store: Store, seal: Seal, world: World) -> Arc<Self> {
        Arc::new(Self {
            store,
            seal,
            world,
            keys: Remembered::default(),
            materials: Remembered::default(),
            versions: Remembered::default(),
            due: Remembered::default(),
            pairs: Unsealed::default(),
            secrets: Unsealed::default(),
        })
    }

    /// Begins a call: does what is due by the clock, and tells whose keys it works with.
    async fn enter<R>(&self, call: &Call<R>) -> Result<Regional, Error> {
        self.settle().await?;
        Ok(scope(call))
    }

    /// The row of a key, if there is one.
    fn key_row(&self, scope: &Regional, id: &KeyId) -> Result<Option<Arc<Key>>, StoreError> {
        self.keys.row(self.store.changes(), (scope.clone(), id.clone()), |(scope, id)| {
            self.store.read(|view| view.get::<Keys>(scope, id.as_str()))
        })
    }

    /// The key of that id, whatever its state.
    fn key(&self, scope: &Regional, id: &KeyId) -> Result<Arc<Key>, Error> {
        self.key_row(scope, id)?.ok_or_else(|| Error::KeyNotFound(id.clone()))
    }

    /// The key of that id, in a state that admits the operation.
    fn key_for(&self, scope: &Regional, id: &KeyId, operation: Operation) -> Result<Arc<Key>, Error> {
        let key = self.key(scope, id)?;
        operation.check(id, key.state)?;
        Ok(key)
    }

    /// The key pair of that key, as it is kept.
    fn material(&self, scope: &Regional, id: &KeyId) -> Result<Arc<Material>, Error> {
        let row = self.materials.row(self.store.changes(), (scope.clone(), id.clone()), |(scope, id)| {
            self.store.read(|view| view.get::<Materials>(scope, id.as_str()))
        });
        row.map_err(Error::from)?.ok_or(Error::Damaged("a key has no material"))
    }

    /// A version of a symmetric key's material, as it is kept, if there is one.
    fn version(&self, scope: &Regional, id: &KeyId, version: u32) -> Result<Option<Arc<Version>>, Error> {
        let place = (scope.clone(), id.clone(), version);
        let row = self.versions.row(self.store.changes(), place, |(scope, id, version)| {
            let place = (id.to_string(), u64::from(*version));
            self.store.read(|view| view.get::<Versions>(scope, &place))
        });
        Ok(row?)
    }

    /// Signs with an enabled key.
    async fn sign_message(
        &self,
        scope: &Regional,
        id: &KeyId,
        algorithm: Algorithm,
        message: &Message,
    ) -> Result<Vec<u8>, Error> {
        let key = self.key_for(scope, id, Operation::UseKeyPair)?;
        let algorithm = key.usage.suited(algorithm)?;
        self.key_pair(scope, id, &key).await?.sign(algorithm, message)
    }

    /// The unsealed key pair of `key`, from memory where it has been used before.
    async fn key_pair(&self, scope: &Regional, id: &KeyId, key: &Key) -> Result<Arc<KeyPair>, Error> {
        let material = self.material(scope, id)?;
        let sealed = &material.private_key;
        if let Some(pair) = self.pairs.get(scope, id, key.version, sealed) {
            return Ok(pair);
        }
        let pkcs8 = self.seal.open(&keys::seal_context(id), sealed)?;
        let usage = key.usage;
        // Parsing checks the whole key, which takes long enough for RSA to hold up other calls.
        let pair = tokio::task::spawn_blocking(move || KeyPair::from_pkcs8(usage, &pkcs8))
            .await
            .map_err(|_| Error::Cryptography("a key could not be parsed"))??;
        let pair = Arc::new(pair);
        self.pairs.keep(scope, id, key.version, sealed.clone(), &pair);
        // The key may have been disabled meanwhile. That forgets the pair after the state is written, so either it comes
        // after `keep` or this sees the state.
        if self.key(scope, id)?.state != KeyState::Enabled {
            self.forget(scope, id);
        }
        Ok(pair)
    }

    /// Drops the unsealed material of a key.
    fn forget(&self, scope: &Regional, id: &KeyId) {
        self.pairs.forget(scope, id);
        self.secrets.forget(scope, id);
    }

    /// Changes a key in a state that admits the operation, and gives it as it is afterwards.
    async fn change<F>(
        &self,
        scope: Regional,
        id: KeyId,
        operation: Operation,
        change: F,
    ) -> Result<Key, Error>
    where
        F: Fn(&mut Transaction<'_>, &mut Key) -> Result<(), Error> + Send + 'static,
    {
        let changed = self.change_all(scope, vec![id], operation, change).await?;
        changed.into_iter().next().ok_or(Error::Damaged("a changed key is gone"))
    }

    /// Changes keys, all or none, each in a state that admits the operation; those of which a cloud product depends are spared what
    /// would make them unusable.
    async fn change_all<F>(
        &self,
        scope: Regional,
        ids: Vec<KeyId>,
        operation: Operation,
        change: F,
    ) -> Result<Vec<Key>, Error>
    where
        F: Fn(&mut Transaction<'_>, &mut Key) -> Result<(), Error> + Send + 'static,
    {
        let (place, names) = (scope.clone(), ids.clone());
        let changed = self
            .store
            .write(move |tx| {
                let mut changed = Vec::with_capacity(names.len());
                for id in &names {
                    let mut key =
                        tx.get::<Keys>(&place, id.as_str())?.ok_or_else(|| Error::KeyNotFound(id.clone()))?;
                    operation.check(id, key.state)?;
                    if operation.makes_unusable() && bindings::any(tx, &place, id)? {
                        return Err(Error::UsedByProduct(id.clone()));
                    }
                    change(tx, &mut key)?;
                    tx.put::<Keys>(&place, &id.to_string(), &key)?;
                    changed.push(key);
                }
                Ok(changed)
            })
            .await?;
        for (id, key) in ids.iter().zip(&changed) {
            if key.state != KeyState::Enabled {
                self.forget(&scope, id);
            }
        }
        Ok(changed)
    }
}

/// Whose keys a call works with.
fn scope<R>(call: &Call<R>) -> Regional {
    Regional { uin: call.caller.account.uin, region: call.region.clone() }
}

/// The resources of keys that a request names: `key/creatorUin/<creator>/<id>`. A key that does not exist was made by nobody, and is
/// asked for with the creator `*`.
fn key_resources<R, I>(kms: &Kms, call: &Call<R>, ids: I) -> Vec<Resource>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let scope = scope(call);
    resources_of(ids, |id| {
        let row = KeyId::parse(id).ok().map(|id| kms.key_row(&scope, &id));
        // A store that fails here fails again in the action, which answers so.
        row.and_then(|row| row.ok().flatten()).map(|key| key.creator)
    })
}

/// The resources of the rows of a table that a request names, whose kinds of key all are called `key`.
fn resources_in<T, R, I>(kms: &Kms, call: &Call<R>, ids: I, creator: fn(&T::Row) -> u64) -> Vec<Resource>
where
    T: Table<Scope = Regional, Key = String>,
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let scope = scope(call);
    let row = |id: &str| kms.store.read(|view| view.get::<T>(&scope, id)).ok().flatten();
    resources_of(ids, |id| row(id).as_ref().map(creator))
}

/// The resources of ids, given who made what they name, if they name anything.
fn resources_of<I>(ids: I, creator: impl Fn(&str) -> Option<u64>) -> Vec<Resource>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let named = |id: I::Item| {
        let id = id.as_ref();
        Resource::named(match creator(id) {
            Some(creator) => tags::resource(creator, id),
            None => format!("key/creatorUin/*/{id}"),
        })
    };
    // What names more is refused whatever the keys are.
    ids.into_iter().take(listing::BATCH_LIMIT).map(named).collect()
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

    #[tokio::test]
    async fn what_became_due_while_the_process_was_off_is_done_when_it_is_back() {
        let directory = tempfile::tempdir().unwrap();
        let seal = Seal::ephemeral().unwrap();
        let scene = Scene::over(Store::open(directory.path()).unwrap(), seal.clone());
        let id = scene.create("data", scene::SYMMETRIC).await;
        let blob = scene.encrypt(&id, None, b"text").await.unwrap();
        scene.disable(&id).await;
        scene.schedule(&id, 7).await.unwrap();
        {
            let _alone = openssl::no_children();
            drop(scene);
        }
        let scene = {
            let _alone = openssl::no_children();
            Scene::over(Store::open(directory.path()).unwrap(), seal)
        };
        assert_eq!(scene.state(&id).await, "PendingDelete");
        scene.advance(7 * timers::DAY);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let kms = Arc::clone(&scene.kms);
        let timers = tokio::spawn(kms.run_timers(stopped));
        let versions = || {
            let place = (id.clone(), 1);
            scene.store.read(|view| view.get::<Versions>(&scene.scope(), &place)).unwrap()
        };
        while versions().is_some() {
            tokio::task::yield_now().await;
        }
        stop.send_replace(true);
        timers.await.unwrap();
        assert!(matches!(scene.decrypt(&blob, None).await, Err(Error::KeyNotFound(_))));
    }

    #[tokio::test]
    async fn a_version_of_material_is_sealed_for_its_place_alone() {
        let scene = Scene::new();
        let id = scene.create("data", scene::SYMMETRIC).await;
        scene.rotate_by_itself(&id).await;
        assert!(scene.metadata(&id).await.last_rotate_time > 0);
        let key = KeyId::parse(&id).unwrap();
        let secret = |version: u64| {
            let place = (id.clone(), version);
            scene.store.read(|view| view.get::<Versions>(&scene.scope(), &place)).unwrap().unwrap().secret
        };
        for (version, other) in [(1, 2), (2, 1)] {
            let opened =
                scene.seal.open(&keys::version_context(&key, version), &secret(u64::from(version))).unwrap();
            assert_eq!(opened.len(), 16);
            assert!(
                scene.seal.open(&keys::version_context(&key, other), &secret(u64::from(version))).is_err()
            );
        }
    }

    #[test]
    fn what_goes_wrong_inside_is_told_to_the_log_alone() {
        use rookery_api::ErrorCode as _;
        use rookery_gateway::{Language, Refusal as _};
        for error in [
            Error::Store(StoreError::Closed),
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
}
