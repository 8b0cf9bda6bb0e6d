//! Signing keys of signature v3, derived once for each SecretId, date and service.
//!
//! A key is kept only after a signature verified with it, so nobody without a SecretKey can fill the room. It is used only with the
//! [`SecretKey`] that it was derived from, which the identity hands out anew for every request: a key that is disabled, deleted or
//! replaced verifies nothing from that moment on.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use rookery_tc3::v3::SigningKey;

use crate::identity::{KeyMark, SecretKey};

/// How many owners of keys have kept ones.
const IDS: usize = 1024;
/// Kept keys of one SecretId: a few services, on the two sides of midnight.
const KEYS_OF_ONE_ID: usize = 16;

/// What a key is derived for: the credential scope of a request.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Who signs.
    pub secret_id: &'a str,
    /// The UTC date, `YYYY-MM-DD`.
    pub date: &'a str,
    /// The service, opaque.
    pub service: &'a str,
}

/// The kept keys.
#[derive(Debug, Default)]
pub struct SigningKeys {
    kept: RwLock<HashMap<String, Vec<Kept>>>,
}

struct Kept {
    date: String,
    service: String,
    derived_from: KeyMark,
    key: Arc<SigningKey>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.date, self.service)
    }
}

impl Kept {
    fn is_for(&self, scope: Scope<'_>) -> bool {
        self.date == scope.date && self.service == scope.service
    }
}

impl SigningKeys {
    /// The kept key of the scope, where it was derived from this very `secret_key`.
    #[must_use]
    pub fn find(&self, scope: Scope<'_>, secret_key: &SecretKey) -> Option<Arc<SigningKey>> {
        let kept = self.kept.read();
        let of_id = kept.get(scope.secret_id)?;
        let found = of_id
            .iter()
            .find(|candidate| candidate.is_for(scope) && candidate.derived_from.is_of(secret_key))?;
        Some(Arc::clone(&found.key))
    }

    /// Keeps a key whose signature verified. Keys of the same SecretId that were derived from another secret go.
    pub fn keep(&self, scope: Scope<'_>, secret_key: &SecretKey, key: Arc<SigningKey>) {
        let mut kept = self.kept.write();
        // Deriving is cheap enough to begin again: which key was used last is not worth a write on every request.
        if kept.len() >= IDS && !kept.contains_key(scope.secret_id) {
            kept.clear();
        }
        let of_id = kept.entry(scope.secret_id.to_owned()).or_default();
        of_id.retain(|other| other.derived_from.is_of(secret_key) && !other.is_for(scope));
        if of_id.len() >= KEYS_OF_ONE_ID {
            of_id.remove(0);
        }
        of_id.push(Kept {
            date: scope.date.to_owned(),
            service: scope.service.to_owned(),
            derived_from: secret_key.mark(),
            key,
        });
    }

    /// Drops the keys of a SecretId that the identity no longer knows.
    pub fn forget(&self, secret_id: &str) {
        // Most unknown ids were never known: looking first spares the others a wait.
        if self.kept.read().contains_key(secret_id) {
            self.kept.write().remove(secret_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope<'a>(secret_id: &'a str, date: &'a str, service: &'a str) -> Scope<'a> {
        Scope { secret_id, date, service }
    }

    fn secret() -> SecretKey {
        SecretKey::new("key".to_owned())
    }

    fn keep(keys: &SigningKeys, scope: Scope<'_>, secret: &SecretKey) {
        let key = SigningKey::derive(secret.reveal(), scope.date, scope.service);
        keys.keep(scope, secret, Arc::new(key));
    }

    #[test]
    fn a_key_serves_its_own_scope_only() {
        let (keys, secret) = (SigningKeys::default(), secret());
        let mine = scope("AKID", "2019-02-25", "cvm");
        assert!(keys.find(mine, &secret).is_none());
        keep(&keys, mine, &secret);
        assert!(keys.find(mine, &secret.clone()).is_some());
        for other in
            [("AKID", "2019-02-26", "cvm"), ("AKID", "2019-02-25", "tcr"), ("AKIE", "2019-02-25", "cvm")]
        {
            assert!(keys.find(scope(other.0, other.1, other.2), &secret).is_none(), "{other:?}");
        }
    }

    #[test]
    fn a_replaced_secret_finds_nothing_and_drops_what_its_predecessor_left() {
        let (keys, first) = (SigningKeys::default(), secret());
        let mine = scope("AKID", "2019-02-25", "cvm");
        keep(&keys, mine, &first);
        let second = secret();
        assert!(keys.find(mine, &second).is_none(), "the same text is still another key");
        drop(first);
        let third = secret();
        assert!(keys.find(mine, &third).is_none());
        keep(&keys, scope("AKID", "2019-02-25", "tcr"), &second);
        assert_eq!(keys.kept.read()["AKID"].len(), 1);
    }

    #[test]
    fn a_key_that_is_gone_is_forgotten() {
        let (keys, secret) = (SigningKeys::default(), secret());
        let mine = scope("AKID", "2019-02-25", "cvm");
        keep(&keys, mine, &secret);
        keys.forget("AKIE");
        assert!(keys.find(mine, &secret).is_some());
        keys.forget("AKID");
        assert!(keys.find(mine, &secret).is_none());
    }

    #[test]
    fn the_room_is_bounded() {
        let (keys, secret) = (SigningKeys::default(), secret());
        let key = Arc::new(SigningKey::derive("key", "2019-02-25", "cvm"));
        for number in 0..100 {
            let service = number.to_string();
            keys.keep(scope("AKID", "2019-02-25", &service), &secret, Arc::clone(&key));
        }
        assert_eq!(keys.kept.read()["AKID"].len(), KEYS_OF_ONE_ID);
        for number in 0..3000 {
            let id = number.to_string();
            keys.keep(scope(&id, "2019-02-25", "cvm"), &secret, Arc::clone(&key));
        }
        assert!(keys.kept.read().len() <= IDS);
    }
}
