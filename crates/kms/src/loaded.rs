//! The unsealed key pairs of the keys in use: unsealing and parsing one takes far longer than signing with it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_seal::Sealed;
use rookery_store::Regional;

use crate::keys::KeyId;
use crate::material::KeyPair;

/// Unsealed key pairs. There are at most as many as there are enabled keys.
#[derive(Default)]
pub(crate) struct KeyPairs {
    pairs: Mutex<HashMap<(Regional, KeyId), Loaded>>,
}

struct Loaded {
    /// What the pair was unsealed from. The whole state can be replaced (reset, restored), and then an id may name another
    /// pair than before.
    sealed: Sealed,
    pair: Arc<KeyPair>,
}

impl KeyPairs {
    /// The pair that was unsealed from `sealed`.
    pub(crate) fn get(&self, scope: &Regional, id: &KeyId, sealed: &Sealed) -> Option<Arc<KeyPair>> {
        let pairs = self.pairs.lock();
        let loaded = pairs.get(&(scope.clone(), id.clone()))?;
        (loaded.sealed == *sealed).then(|| Arc::clone(&loaded.pair))
    }

    pub(crate) fn keep(&self, scope: &Regional, id: &KeyId, sealed: Sealed, pair: &Arc<KeyPair>) {
        let loaded = Loaded { sealed, pair: Arc::clone(pair) };
        self.pairs.lock().insert((scope.clone(), id.clone()), loaded);
    }

    pub(crate) fn forget(&self, scope: &Regional, id: &KeyId) {
        self.pairs.lock().remove(&(scope.clone(), id.clone()));
    }
}

#[cfg(test)]
mod tests {
    use crate::actions::scene::{ECC, Scene};
    use crate::keys::{KeyId, KeyUsage, Materials};
    use crate::material::{self, Digest, KeyPair};

    #[tokio::test]
    async fn a_pair_that_was_replaced_in_the_state_is_not_used_again() {
        let scene = Scene::new();
        let id = KeyId::parse(&scene.create("release", ECC).await).unwrap();
        scene.sign(id.as_str(), "ECC_P256_R1", b"text").await.unwrap();

        let pair = KeyPair::generate(KeyUsage::SignVerifyEcc).unwrap();
        let replacement = pair.to_material(&scene.seal, &id).unwrap();
        let public_key = replacement.public_key.clone();
        let (scope, name) = (scene.scope(), id.to_string());
        scene.store.write(move |tx| tx.put::<Materials>(&scope, &name, &replacement)).await.unwrap();

        let signature = scene.sign(id.as_str(), "ECC_P256_R1", b"text").await.unwrap();
        let algorithm = rookery_signing::Algorithm::EcdsaP256Sha256;
        assert!(material::verify(&public_key, algorithm, &Digest::of(b"text"), &signature).unwrap());
    }
}
