//! Data keys that KMS keeps for its users: encrypted by one of their keys, never in clear (`products.md` §3.1, §3.3).
//!
//! What is kept is the ciphertext that `GenerateDataKey` answers, or that of an imported data key. So a data key can be had only as
//! long as its key decrypts, and is lost with it. Where no source says otherwise:
//!
//! - A data key is scheduled for deletion from either other state, and disabled when that is cancelled.
//! - It is enabled, or its deletion cancelled, only while its key is enabled or archived: the SDKs list the codes for that.
//! - Its ciphertext is told in every state but that of waiting for deletion; its name and description change in every state.

pub(crate) mod error;

use std::collections::HashSet;

use rookery_api::kms::{DataKeyMetadata, Tag};
use rookery_gateway::{Call, Resource};
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};

pub use self::error::DataKeyError;
use crate::error::{Error, shortened};
use crate::indexes::{newest_first, oldest_first, regional_index};
use crate::keys::{self, KeyId, Keys, Origin};
use crate::listing::BATCH_LIMIT;
use crate::states::KeyState;
use crate::tags::{self, KeyTag};
use crate::{Kms, resources_in};

/// The longest description, in bytes.
pub(crate) const DESCRIPTION_LIMIT: usize = 100;
/// The longest data key, in bytes.
pub(crate) const LENGTH_LIMIT: usize = 1024;
/// How many data keys an account has in a region at most; far above what tests need, as with keys.
pub(crate) const LIMIT: usize = 10_000;
/// `Owner` of data keys that no cloud product made.
const OWNER: &str = "user";

/// The states of a data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DataKeyState {
    Enabled,
    Disabled,
    PendingDelete,
}

impl DataKeyState {
    /// Every state, in the order of the numbers that `ListDataKeyDetail` gives them, from 1.
    pub(crate) const ALL: [Self; 3] = [Self::Enabled, Self::Disabled, Self::PendingDelete];

    /// The word on the wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDelete => "PendingDelete",
        }
    }
}

/// A hosted data key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DataKey {
    pub(crate) name: String,
    pub(crate) description: String,
    /// The key that encrypted it.
    pub(crate) key: String,
    /// Its length in bytes.
    pub(crate) length: u64,
    pub(crate) state: DataKeyState,
    pub(crate) origin: Origin,
    /// The number of the identity that made it.
    pub(crate) creator: u64,
    /// UNIX seconds.
    pub(crate) created: u64,
    /// Its place among the data keys of its account and region, in the order in which they were made.
    pub(crate) sequence: u64,
    /// When it is deleted, in UNIX seconds.
    pub(crate) deletion: Option<u64>,
    /// What `Decrypt` makes it of.
    pub(crate) ciphertext: String,
    /// The encryption context that this takes, as the request spelt it.
    pub(crate) context: Option<String>,
}

impl DataKey {
    /// Refuses what may be done in `admitted` only.
    pub(crate) fn expect(&self, id: &KeyId, admitted: &[DataKeyState]) -> Result<(), Error> {
        if admitted.contains(&self.state) {
            Ok(())
        } else {
            Err(DataKeyError::State(id.clone(), self.state.word()).into())
        }
    }

    /// The data key as it is described. Replicas, HSM clusters and member accounts have no part in it.
    pub(crate) fn metadata(
        self,
        view: &impl Read,
        scope: &Regional,
        id: String,
    ) -> Result<DataKeyMetadata, Error> {
        let key = view.get::<Keys>(scope, self.key.as_str())?;
        Ok(DataKeyMetadata {
            resource_id: format!("creatorUin/{}/{id}", self.creator),
            data_key_id: id,
            key_id: self.key,
            // A data key can outlive its key.
            key_name: key.map(|key| key.alias).unwrap_or_default(),
            data_key_name: self.name,
            number_of_bytes: self.length,
            create_time: self.created,
            description: self.description,
            key_state: self.state.word().to_owned(),
            creator_uin: self.creator,
            owner: OWNER.to_owned(),
            deletion_date: self.deletion.unwrap_or_default(),
            origin: self.origin.word().to_owned(),
            hsm_cluster_id: String::new(),
            is_sync_replica: 0,
            source_region: String::new(),
            sync_status: 0,
            sync_messages: String::new(),
            sync_start_time: 0,
            sync_end_time: 0,
            source_hsm_cluster_id: String::new(),
            account_app_id: 0,
            account_uin: 0,
            account_name: String::new(),
            creator_uin_string: self.creator.to_string(),
        })
    }
}

/// The data keys by their ids.
pub(crate) struct DataKeys;

impl Table for DataKeys {
    const NAME: &'static str = "kms.data-keys";
    type Scope = Regional;
    type Key = String;
    type Row = DataKey;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByName, &BySequence, &ByDeletion];
}

regional_index! {
    /// Account, region, name.
    ByName: DataKeys, "name", name: String
}

regional_index! {
    /// Account, region, order of creation.
    BySequence: DataKeys, "sequence", sequence: u64
}

/// When one is to be deleted, of whichever account and region.
pub(crate) struct ByDeletion;

impl Index for ByDeletion {
    type Table = DataKeys;
    type Value = u64;
    const NAME: &'static str = "deletion";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &String, key: &DataKey) -> Option<u64> {
        key.deletion
    }
}

/// Reads the id of a data key.
pub(crate) fn read_id(text: &str) -> Result<KeyId, Error> {
    KeyId::parse(text).map_err(|_| DataKeyError::MalformedId.into())
}

/// Reads 1 to 100 ids, none of them twice.
pub(crate) fn read_ids(ids: &[String]) -> Result<Vec<KeyId>, Error> {
    if !(1..=BATCH_LIMIT).contains(&ids.len()) {
        return Err(DataKeyError::BatchSize(ids.len()).into());
    }
    let ids: Vec<_> = ids.iter().map(|id| read_id(id)).collect::<Result<_, _>>()?;
    let mut seen = HashSet::new();
    match ids.iter().find(|id| !seen.insert(*id)) {
        Some(repeated) => Err(DataKeyError::Repeated(repeated.clone()).into()),
        None => Ok(ids),
    }
}

/// Reads a name, which follows the rules of aliases.
pub(crate) fn read_name(name: String) -> Result<String, Error> {
    keys::check_alias(&name).map_err(|_| DataKeyError::InvalidName)?;
    Ok(name)
}

/// Reads a description.
pub(crate) fn read_description(text: Option<String>) -> Result<String, Error> {
    let text = text.unwrap_or_default();
    if text.len() > DESCRIPTION_LIMIT { Err(DataKeyError::DescriptionTooLong.into()) } else { Ok(text) }
}

/// The data key of that id, whatever its state.
pub(crate) fn existing(view: &impl Read, scope: &Regional, id: &KeyId) -> Result<DataKey, Error> {
    let found = view.get::<DataKeys>(scope, id.as_str())?;
    found.ok_or_else(|| DataKeyError::NotFound(id.clone()).into())
}

/// Refuses a name that another data key of the scope has.
fn check_name_free(view: &impl Read, scope: &Regional, name: &str, own: Option<&KeyId>) -> Result<(), Error> {
    match view.find::<ByName>(&(scope.uin, scope.region.clone(), name.to_owned()))? {
        Some((_, id, _)) if own.is_none_or(|own| own.as_str() != id) => {
            Err(DataKeyError::NameTaken(shortened(name)).into())
        }
        _ => Ok(()),
    }
}

/// Changes a data key.
pub(crate) fn change(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    id: &KeyId,
    change: impl FnOnce(&Transaction<'_>, &mut DataKey) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut key = existing(tx, scope, id)?;
    change(tx, &mut key)?;
    check_name_free(tx, scope, &key.name, Some(id))?;
    Ok(tx.put::<DataKeys>(scope, &id.to_string(), &key)?)
}

/// Puts a data key to use again.
pub(crate) fn enable(tx: &mut Transaction<'_>, scope: &Regional, id: &KeyId) -> Result<(), Error> {
    change(tx, scope, id, |view, key| {
        key.expect(id, &[DataKeyState::Enabled, DataKeyState::Disabled])?;
        check_key(view, scope, key)?;
        key.state = DataKeyState::Enabled;
        Ok(())
    })
}

/// Takes a data key out of use.
pub(crate) fn disable(tx: &mut Transaction<'_>, scope: &Regional, id: &KeyId) -> Result<(), Error> {
    change(tx, scope, id, |_, key| {
        key.expect(id, &[DataKeyState::Enabled, DataKeyState::Disabled])?;
        key.state = DataKeyState::Disabled;
        Ok(())
    })
}

/// Refuses a data key whose own key does not decrypt it.
pub(crate) fn check_key(view: &impl Read, scope: &Regional, key: &DataKey) -> Result<(), Error> {
    let id = KeyId::parse(&key.key)?;
    let own = view.get::<Keys>(scope, id.as_str())?.ok_or_else(|| Error::KeyNotFound(id.clone()))?;
    match own.state {
        KeyState::Enabled | KeyState::Archived => Ok(()),
        other => Err(Error::StateNotSupported(id, other.word())),
    }
}

/// What a request says of a data key that is to be hosted.
pub(crate) struct Hosting {
    name: String,
    description: String,
    tags: Vec<KeyTag>,
}

impl Hosting {
    /// Reads name, description and tags.
    pub(crate) fn read(
        name: String,
        description: Option<String>,
        tags: Option<Vec<Tag>>,
    ) -> Result<Self, Error> {
        Ok(Self {
            name: read_name(name)?,
            description: read_description(description)?,
            tags: tags::read(tags.unwrap_or_default())?,
        })
    }

    /// `TagCode` and `TagMsg` of the reply.
    pub(crate) fn tag_outcome(&self) -> (u64, String) {
        tags::outcome(&self.tags)
    }
}

/// A data key as it is encrypted.
pub(crate) struct Encrypted {
    /// The key that encrypted it.
    pub(crate) key: KeyId,
    pub(crate) ciphertext: String,
    pub(crate) context: Option<String>,
    /// The length of the data key, in bytes.
    pub(crate) length: usize,
    pub(crate) origin: Origin,
}

impl Kms {
    /// Keeps a data key; gives its id.
    pub(crate) async fn host(
        &self,
        scope: Regional,
        creator: u64,
        hosting: Hosting,
        encrypted: Encrypted,
    ) -> Result<KeyId, Error> {
        let id = KeyId::parse(&self.world.uuid().to_string())?;
        let Hosting { name, description, tags } = hosting;
        let key = DataKey {
            name,
            description,
            key: encrypted.key.to_string(),
            length: encrypted.length as u64,
            state: DataKeyState::Enabled,
            origin: encrypted.origin,
            creator,
            created: self.now(),
            sequence: 0,
            deletion: None,
            ciphertext: encrypted.ciphertext,
            context: encrypted.context,
        };
        let given = id.clone();
        self.store.write(move |tx| add(tx, &scope, &given, key.clone(), &tags)).await?;
        Ok(id)
    }

    /// Deletes the data keys whose window has passed.
    pub(crate) async fn settle_data_keys(&self, now: u64) -> Result<(), Error> {
        self.store
            .write(move |tx| {
                for (scope, id, key) in tx.scan_index::<ByDeletion>(due(now))? {
                    tags::detach(tx, &scope, key.creator, &id)?;
                    tx.delete::<DataKeys>(&scope, &id)?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        Ok(())
    }
}

/// The data keys whose window is over by `now`.
fn due(now: u64) -> Scan<u64> {
    Scan::all().from(&now).reverse()
}

/// When the next data key is to be deleted.
pub(crate) fn next_due(view: &impl Read) -> Result<Option<u64>, StoreError> {
    let first = view.scan_index::<ByDeletion>(Scan::all().limit(1))?;
    Ok(first.into_iter().find_map(|(_, _, key)| key.deletion))
}

fn add(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    id: &KeyId,
    mut key: DataKey,
    tags: &Vec<KeyTag>,
) -> Result<(), Error> {
    check_name_free(tx, scope, &key.name, None)?;
    if tx.count_index::<BySequence>(oldest_first(scope).limit(LIMIT))? == LIMIT {
        return Err(DataKeyError::TooMany.into());
    }
    let newest = tx.scan_index::<BySequence>(newest_first(scope).limit(1))?;
    key.sequence = newest.first().map_or(0, |(_, _, key)| key.sequence + 1);
    if !tx.insert::<DataKeys>(scope, &id.to_string(), &key)? {
        return Err(Error::Damaged("a new data key was given the id of another one"));
    }
    Ok(tags::attach(tx, scope, key.creator, id.as_str(), tags)?)
}

/// The resources of data keys that a request names, as those of keys are named.
pub(crate) fn resources<R, I>(kms: &Kms, call: &Call<R>, ids: I) -> Vec<Resource>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    resources_in::<DataKeys, R, I>(kms, call, ids, |key| key.creator)
}
