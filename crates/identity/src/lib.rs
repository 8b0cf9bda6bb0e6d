//! CAM and STS: who calls, with which key, and what they may do.
//!
//! The first start makes the root account with a random key. Keys are sealed in the store; while the process runs they are also held in
//! memory, because every request asks for one. What the policies of an identity say is read when it is first asked for
//! ([`rights`]), temporary keys are their own record ([`sessions`]), and [`decision`] is the one place where it is decided.

mod account;
mod actions;
mod cam;
mod decision;
mod error;
mod former_rows;
mod keys;
mod keys_in_memory;
mod rights;
mod root_key;
pub mod saml;
mod sessions;
mod sts;
mod token_key;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rookery_gateway::{
    Account, Actions, Caller, Credential, CredentialError, Decision, Identity, Question, ResourceTags,
};
use rookery_seal::Seal;
use rookery_store::{Store, StoreError};
use rookery_world::World;

use crate::cam::changes::{Changed, Follower};
use crate::cam::key_uses::UsesInMemory;
use crate::keys_in_memory::KeysInMemory;
use crate::rights::RightsInMemory;
use crate::sessions::Sessions;

pub use error::OpenError;
pub use former_rows::name_places_of_secrets;
pub use root_key::{ROOT_KEY_FILE, RootKey};
pub use sts::mfa::{BindError, BoundDevice};

/// Registers every action of STS and of CAM.
#[must_use]
pub fn register(cam: &Arc<Cam>) -> Actions {
    let mut actions = actions::register(cam);
    actions.extend(actions::cam::register(cam));
    actions
}

/// Who has an account here, with which keys.
pub struct Cam {
    pub(crate) store: Store,
    pub(crate) seal: Seal,
    pub(crate) world: World,
    memory: Arc<Memory>,
    pub(crate) sessions: Sessions,
    pub(crate) uses: UsesInMemory,
    resource_tags: OnceLock<Arc<dyn ResourceTags>>,
    root: Account,
}

/// What is held in memory of CAM's rows.
struct Memory {
    keys: KeysInMemory,
    rights: RightsInMemory,
}

impl Follower for Memory {
    fn follow(&self, store: &Store, account: u64, changed: &[Changed]) -> Result<(), StoreError> {
        self.rights.forget();
        let keys = changed.iter().filter_map(|changed| match changed {
            Changed::Key(secret_id) => Some(secret_id.as_str()),
            _ => None,
        });
        self.keys.reread(store, account, keys)
    }
}

impl std::fmt::Debug for Cam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cam").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Cam {
    /// Reads the accounts and keys, making the root account and its key where there are none. A `pinned` key becomes the root's key and
    /// replaces the one it had. The root's key is also left, sealed, in `directory`, where [`RootKey::read`] finds it while the store
    /// is in use.
    pub async fn open(
        store: &Store,
        seal: &Seal,
        world: &World,
        directory: &Path,
        pinned: Option<RootKey>,
    ) -> Result<Arc<Self>, OpenError> {
        let root = account::open_or_create_root(store, world).await?;
        let key = match (pinned, keys::root_key(store, seal, root)?) {
            (Some(pinned), Some(kept)) if pinned == kept => kept,
            (Some(pinned), _) => keys::replace_root_key(store, seal, world, root, pinned).await?,
            (None, Some(kept)) => kept,
            (None, None) => {
                // A state that was reset keeps the key that its users have.
                let key = RootKey::read(directory, seal).or_else(|_| RootKey::generate())?;
                keys::replace_root_key(store, seal, world, root, key).await?
            }
        };
        key.write(directory, seal)?;
        let memory = Memory {
            keys: KeysInMemory::read(store, seal, root)?,
            rights: RightsInMemory::new(store.clone()),
        };
        Ok(Arc::new(Self {
            store: store.clone(),
            seal: seal.clone(),
            world: world.clone(),
            memory: Arc::new(memory),
            sessions: Sessions::new(token_key::open_or_make(store, seal).await?),
            uses: UsesInMemory::default(),
            resource_tags: OnceLock::new(),
            root,
        }))
    }

    /// Who has to know of changes.
    fn follower(&self) -> Arc<dyn Follower> {
        Arc::clone(&self.memory) as _
    }

    /// Says who knows the tags of resources, which is known only after the products that keep them. The first one counts.
    pub fn connect_tags(&self, tags: Arc<dyn ResourceTags>) {
        let _ = self.resource_tags.set(tags);
    }

    /// The root account.
    #[must_use]
    pub fn root(&self) -> Account {
        self.root
    }
}

impl Cam {
    /// What a temporary key opens: nothing where the token is not its own, has ended, or stands on a key, user or role that is gone.
    fn temporary(&self, secret_id: &str, token: &str) -> Result<Credential, CredentialError> {
        let opened = self.sessions.open(secret_id, token, self.world.unix_seconds());
        let opened = opened.ok_or(CredentialError::Token)?;
        if opened.key.as_deref().is_some_and(|key| self.memory.keys.find(key).is_none()) {
            return Err(CredentialError::Token);
        }
        let credential = opened.credential(self.root).ok_or(CredentialError::Token)?;
        let bearer = decision::bearer(&credential.caller).map_err(|_| CredentialError::Token)?;
        let Some(bearer) = bearer else { return Ok(credential) };
        match self.memory.rights.of(credential.caller.account.uin, bearer) {
            Ok(Some(_)) => Ok(credential),
            Ok(None) => Err(CredentialError::Token),
            Err(error) => Err(CredentialError::Unavailable(error.to_string())),
        }
    }
}

impl Identity for Cam {
    fn credential(&self, secret_id: &str, token: Option<&str>) -> Result<Credential, CredentialError> {
        match token {
            None => self.memory.keys.find(secret_id).ok_or(CredentialError::NotFound),
            // A permanent key has no token, so a token that comes with one is somebody else's.
            Some(token) => self.temporary(secret_id, token),
        }
    }

    fn decide(&self, caller: &Caller, question: &Question<'_>) -> Decision {
        // Asked once a call, after the signature was found good: the moment at which a key was used.
        if caller.session.is_none() && !caller.secret_id.is_empty() {
            let now = question.circumstances.now.unix_timestamp();
            self.uses.note(&self.store, caller.account.uin, &caller.secret_id, now);
        }
        let (rights, tags) = (&self.memory.rights, self.resource_tags.get().map(|tags| &**tags));
        if caller.account.app_id == 0 && caller.account.uin == self.root.uin {
            let caller = Caller { account: self.root, ..caller.clone() };
            return decision::decide_for(rights, tags, &caller, question);
        }
        decision::decide_for(rights, tags, caller, question)
    }
}

#[cfg(test)]
mod tests {
    use rookery_gateway::Circumstances;

    use super::*;

    async fn opened(store: &Store, seal: &Seal, directory: &Path, pinned: Option<RootKey>) -> Arc<Cam> {
        Cam::open(store, seal, &World::system(), directory, pinned).await.unwrap()
    }

    #[tokio::test]
    async fn the_first_start_makes_a_key_that_later_starts_find() {
        let (store, seal, directory) =
            (Store::in_memory(), Seal::ephemeral().unwrap(), tempfile::tempdir().unwrap());
        let first = opened(&store, &seal, directory.path(), None).await;
        let key = RootKey::read(directory.path(), &seal).unwrap();
        assert!(key.secret_id.starts_with("AKID") && key.secret_id.len() == 36);
        assert_eq!(key.secret_key.len(), 32);
        let again = opened(&store, &seal, directory.path(), None).await;
        assert_eq!(first.root(), again.root());
        let credential = again.credential(&key.secret_id, None).unwrap();
        assert_eq!(credential.secret_key.reveal(), key.secret_key.as_str());
        assert_eq!(credential.caller.uin(), again.root().uin);
    }

    #[tokio::test]
    async fn a_pinned_key_replaces_the_roots() {
        let (store, seal, directory) =
            (Store::in_memory(), Seal::ephemeral().unwrap(), tempfile::tempdir().unwrap());
        opened(&store, &seal, directory.path(), None).await;
        let random = RootKey::read(directory.path(), &seal).unwrap();
        let pinned = RootKey::new("AKIDpinned".to_owned(), "key".to_owned()).unwrap();
        let cam = opened(&store, &seal, directory.path(), Some(pinned)).await;
        assert_eq!(cam.credential(&random.secret_id, None).unwrap_err(), CredentialError::NotFound);
        assert!(cam.credential("AKIDpinned", None).is_ok());
        let later = opened(&store, &seal, directory.path(), None).await;
        assert!(later.credential("AKIDpinned", None).is_ok(), "the pin outlives the start that made it");
    }

    #[tokio::test]
    async fn a_reset_state_keeps_the_roots_key() {
        let (seal, directory) = (Seal::ephemeral().unwrap(), tempfile::tempdir().unwrap());
        opened(&Store::in_memory(), &seal, directory.path(), None).await;
        let key = RootKey::read(directory.path(), &seal).unwrap();
        let cam = opened(&Store::in_memory(), &seal, directory.path(), None).await;
        assert!(cam.credential(&key.secret_id, None).is_ok());
    }

    #[tokio::test]
    async fn refuses_unknown_keys_and_foreign_tokens() {
        let (store, seal, directory) =
            (Store::in_memory(), Seal::ephemeral().unwrap(), tempfile::tempdir().unwrap());
        let cam = opened(&store, &seal, directory.path(), None).await;
        let key = RootKey::read(directory.path(), &seal).unwrap();
        assert_eq!(cam.credential("AKIDnobody", None).unwrap_err(), CredentialError::NotFound);
        assert_eq!(cam.credential(&key.secret_id, Some("token")).unwrap_err(), CredentialError::Token);
        assert!(
            RootKey::read(directory.path(), &Seal::ephemeral().unwrap()).is_err(),
            "sealed by another key"
        );
    }

    #[tokio::test]
    async fn the_root_may_do_everything_in_its_own_account_only() {
        let (store, seal, directory) =
            (Store::in_memory(), Seal::ephemeral().unwrap(), tempfile::tempdir().unwrap());
        let cam = opened(&store, &seal, directory.path(), None).await;
        let key = RootKey::read(directory.path(), &seal).unwrap();
        let caller = cam.credential(&key.secret_id, None).unwrap().caller;
        let own = format!("qcs::tcr:ap-guangzhou:uin/{}:instance/tcr-1", caller.account.uin);
        let foreign = "qcs::tcr:ap-guangzhou:uin/1:instance/tcr-1".to_owned();
        let ask = |resources: &[String]| {
            let circumstances = Circumstances {
                source: [127, 0, 0, 1].into(),
                now: time::OffsetDateTime::UNIX_EPOCH,
                secure: None,
            };
            let question = Question {
                operation: "tcr:X",
                resources,
                resource_tags: &[],
                request_tags: &[],
                circumstances,
            };
            cam.decide(&caller, &question)
        };
        assert!(matches!(ask(&["*".to_owned(), own]), Decision::Allowed(_)));
        assert!(matches!(ask(&[foreign]), Decision::Denied { .. }));
    }
}
