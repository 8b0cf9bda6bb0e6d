//! The unsealed material of the keys in use: unsealing and parsing a key pair takes far longer than signing with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_seal::Sealed;
use rookery_store::Regional;

use crate::keys::KeyId;

/// Unsealed material, by key and version. There is at most as much as there are enabled keys and versions of them.
pub(crate) struct Unsealed<T> {
    keys: Mutex<HashMap<(Regional, KeyId), Versions<T>>>,
}

type Versions<T> = BTreeMap<u32, Loaded<T>>;

struct Loaded<T> {
    /// What it was unsealed from. The whole state can be replaced (reset, restored), and then an id may name other material than
    /// before.
    sealed: Sealed,
    material: Arc<T>,
}

impl<T> Default for Unsealed<T> {
    fn default() -> Self {
        Self { keys: Mutex::default() }
    }
}

impl<T> Unsealed<T> {
    /// What was unsealed from `sealed`.
    pub(crate) fn get(&self, scope: &Regional, id: &KeyId, version: u32, sealed: &Sealed) -> Option<Arc<T>> {
        let keys = self.keys.lock();
        let loaded = keys.get(&(scope.clone(), id.clone()))?.get(&version)?;
        (loaded.sealed == *sealed).then(|| Arc::clone(&loaded.material))
    }

    pub(crate) fn keep(&self, scope: &Regional, id: &KeyId, version: u32, sealed: Sealed, material: &Arc<T>) {
        let loaded = Loaded { sealed, material: Arc::clone(material) };
        let mut keys = self.keys.lock();
        keys.entry((scope.clone(), id.clone())).or_default().insert(version, loaded);
    }

    pub(crate) fn forget(&self, scope: &Regional, id: &KeyId) {
        self.keys.lock().remove(&(scope.clone(), id.clone()));
    }
}

#[cfg(test)]
mod tests {
    use crate::actions::scene::{ECC, Scene};
    use crate::keys::{KeyId, Materials};
    use crate::material::{self, NewKeyPair};
    use crate::message::Message;
    use crate::usage::{Algorithm, KeyUsage};

    #[tokio::test]
    async fn a_pair_that_was_replaced_in_the_state_is_not_used_again() {
        let scene = Scene::new();
        let id = KeyId::parse(&scene.create("release", ECC).await).unwrap();
        scene.sign(id.as_str(), "ECC_P256_R1", b"text").await.unwrap();

        let pair = NewKeyPair::generate(KeyUsage::SignVerifyEcc).unwrap();
        let replacement = pair.to_material(&scene.seal, &id).unwrap();
        let public_key = replacement.public_key.clone();
        let (scope, name) = (scene.scope(), id.to_string());
        scene.store.write(move |tx| tx.put::<Materials>(&scope, &name, &replacement)).await.unwrap();

        let signature = scene.sign(id.as_str(), "ECC_P256_R1", b"text").await.unwrap();
        let message = Message::Raw(b"text".to_vec());
        assert!(material::verify(&public_key, Algorithm::EcdsaP256Sha256, &message, &signature).unwrap());
    }
}
