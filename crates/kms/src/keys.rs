//! The keys as they are stored, and the words and rules that they follow (`products.md` §3.2 to §3.6).

use std::fmt;

use rookery_api::kms::KeyMetadata;
use rookery_seal::Sealed;
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::bindings::Bindings;
use crate::error::Error;
use crate::import::ImportParameters;
use crate::indexes::{newest_first, oldest_first, regional_index};
use crate::states::KeyState;
use crate::tags::{self, KeyTag};
use crate::usage::{Cipher, KeyUsage};

/// The longest description, in bytes.
pub(crate) const DESCRIPTION_LIMIT: usize = 1024;
/// The longest alias, in characters.
const ALIAS_LIMIT: usize = 60;
/// How the aliases begin that are reserved for cloud products.
const RESERVED_ALIAS: &str = "kms-";
/// `Owner` of keys that no cloud product made.
const OWNER: &str = "user";
/// `KeyMetadata.Type` of the algorithms of FIPS 140-2.
const INTERNATIONAL: i64 = 2;
/// `KeyMetadata.Type` of the SM algorithms.
const CHINESE: i64 = 4;
/// How many keys an account can have in a region. A key stays for seven days at least, so that a store that tests use fills up; the
/// limit is far above the platform's 200 for their sake.
pub(crate) const KEY_LIMIT: usize = 10_000;

/// The id of a key: a lower-case UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// Reads an id; anything but `8-4-4-4-12` lower-case hexadecimal digits is malformed.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let well_formed = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        if well_formed { Ok(Self(text.to_owned())) } else { Err(Error::MalformedKeyId) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of those 16 bytes.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        let mut text = format!("{:032x}", u128::from_be_bytes(bytes));
        for at in [20, 16, 12, 8] {
            text.insert(at, '-');
        }
        Self(text)
    }

    /// The 16 bytes that the id stands for.
    pub(crate) fn to_bytes(&self) -> Option<[u8; 16]> {
        u128::from_str_radix(&self.0.replace('-', ""), 16).ok().map(u128::to_be_bytes)
    }
}

impl AsRef<str> for KeyId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the private key of a key is sealed for.
pub(crate) fn seal_context(id: &KeyId) -> String {
    format!("kms/key/{id}")
}

/// Where the material of a key comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// It was made here.
    #[default]
    #[serde(rename = "TENCENT_KMS")]
    Kms,
    /// The customer imports it.
    #[serde(rename = "EXTERNAL")]
    External,
}

impl Origin {
    /// The word on the wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Kms => "TENCENT_KMS",
            Self::External => "EXTERNAL",
        }
    }
}

/// When a key is rotated without being asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) days: u64,
    /// UNIX seconds.
    pub(crate) next: u64,
}

/// What is known of imported material.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Imported {
    /// The digest of the material, sealed: it outlives the material, since no other may be imported.
    pub(crate) digest: Sealed,
    /// Whether the material is there.
    pub(crate) present: bool,
    /// When it expires, in UNIX seconds; never if `None`.
    pub(crate) valid_to: Option<u64>,
}

/// A key without its material.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) alias: String,
    pub(crate) description: String,
    pub(crate) usage: KeyUsage,
    pub(crate) state: KeyState,
    /// The number of the identity that made it.
    pub(crate) creator: u64,
    /// UNIX seconds.
    pub(crate) created: u64,
    /// Its place among the keys of its account and region, in the order in which they were made.
    pub(crate) sequence: u64,
    #[serde(default)]
    pub(crate) origin: Origin,
    /// The cipher of a symmetric key.
    #[serde(default)]
    pub(crate) cipher: Option<Cipher>,
    /// The version of a symmetric key's material that encrypts; those before it decrypt.
    #[serde(default = "first_version")]
    pub(crate) version: u32,
    #[serde(default)]
    pub(crate) rotation: Option<Rotation>,
    /// UNIX seconds.
    #[serde(default)]
    pub(crate) last_rotated: Option<u64>,
    /// UNIX seconds; set while the key waits for its deletion.
    #[serde(default)]
    pub(crate) deletion: Option<u64>,
    /// Set since material was imported first.
    #[serde(default)]
    pub(crate) imported: Option<Imported>,
}

/// The version of the material that a key gets first. Imported material and key pairs have no other.
pub(crate) const fn first_version() -> u32 {
    1
}

impl Key {
    /// When something happens to the key by itself: it is deleted, its material expires, or it is rotated.
    pub(crate) fn due(&self) -> Option<u64> {
        if self.state == KeyState::PendingDelete {
            return self.deletion;
        }
        let expiry = self.imported.as_ref().filter(|imported| imported.present);
        let rotation = self.rotation.filter(|_| self.state == KeyState::Enabled);
        expiry.and_then(|imported| imported.valid_to).or(rotation.map(|rotation| rotation.next))
    }

    /// Whether there is material to work with.
    pub(crate) fn has_material(&self) -> bool {
        match self.origin {
            Origin::Kms => true,
            Origin::External => self.imported.as_ref().is_some_and(|imported| imported.present),
        }
    }

    /// The state of a key that is in use again.
    pub(crate) fn state_in_use(&self) -> KeyState {
        if self.has_material() { KeyState::Enabled } else { KeyState::PendingImport }
    }

    /// The key as `DescribeKey` and `ListKeyDetail` show it. Replicas in other regions, HSM clusters and member accounts have no part
    /// in these keys, and show the zeros and empty texts of keys without them.
    pub(crate) fn metadata(&self, id: String) -> KeyMetadata {
        KeyMetadata {
            alias: self.alias.clone(),
            create_time: self.created,
            description: self.description.clone(),
            key_state: self.state.word().to_owned(),
            key_usage: self.usage.word().to_owned(),
            r#type: self.standard(),
            creator_uin: self.creator,
            key_rotation_enabled: self.rotation.is_some(),
            owner: OWNER.to_owned(),
            next_rotate_time: self.rotation.map_or(0, |rotation| rotation.next),
            deletion_date: self.deletion.unwrap_or_default(),
            origin: self.origin.word().to_owned(),
            valid_to: self.imported.as_ref().and_then(|imported| imported.valid_to).unwrap_or_default(),
            resource_id: format!("creatorUin/{}/{id}", self.creator),
            hsm_cluster_id: String::new(),
            rotate_days: self.rotation.map_or(0, |rotation| rotation.days),
            last_rotate_time: self.last_rotated.unwrap_or_default(),
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
            key_id: id,
        }
    }

    /// `KeyMetadata.Type`: the standard that the key's algorithm is of.
    fn standard(&self) -> i64 {
        let chinese = self.cipher == Some(Cipher::Sm4)
            || matches!(self.usage, KeyUsage::DecryptSm2 | KeyUsage::SignVerifySm2);
        if chinese { CHINESE } else { INTERNATIONAL }
    }
}

/// The keys by their ids.
pub(crate) struct Keys;

impl Table for Keys {
    const NAME: &'static str = "kms.keys";
    type Scope = Regional;
    type Key = String;
    type Row = Key;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByAlias, &BySequence, &ByDue];
}

/// When something is due, of whichever account and region.
pub(crate) struct ByDue;

impl Index for ByDue {
    type Table = Keys;
    type Value = u64;
    const NAME: &'static str = "due";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &String, key: &Key) -> Option<u64> {
        key.due()
    }
}

regional_index! {
    /// Account, region, alias.
    ByAlias: Keys, "alias", alias: String
}

regional_index! {
    /// Account, region, order of creation.
    BySequence: Keys, "sequence", sequence: u64
}

/// The key pair of an asymmetric key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Material {
    /// The public key: DER `SubjectPublicKeyInfo` in Base64.
    pub(crate) public_key: String,
    /// The private key: PKCS#8, sealed for [`seal_context`].
    pub(crate) private_key: Sealed,
}

/// The key pairs by the ids of the keys, apart from them so that lists do not read them.
pub(crate) struct Materials;

impl Table for Materials {
    const NAME: &'static str = "kms.materials";
    type Scope = Regional;
    type Key = String;
    type Row = Material;
}

/// A version of a symmetric key's material, sealed for [`version_context`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) secret: Sealed,
}

/// The material of symmetric keys, by the id of the key and the number of the version.
pub(crate) struct Versions;

impl Table for Versions {
    const NAME: &'static str = "kms.versions";
    type Scope = Regional;
    type Key = (String, u64);
    type Row = Version;
}

/// What a version of a symmetric key's material is sealed for.
pub(crate) fn version_context(id: &KeyId, version: u32) -> String {
    format!("kms/key/{id}/{version}")
}

/// Checks an alias against the platform's rules.
pub(crate) fn check_alias(alias: &str) -> Result<(), Error> {
    let well_formed = (1..=ALIAS_LIMIT).contains(&alias.len())
        && alias.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && alias.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !alias.starts_with(RESERVED_ALIAS);
    if well_formed { Ok(()) } else { Err(Error::InvalidAlias) }
}

/// Refuses an alias that another key of the scope has.
pub(crate) fn check_alias_free(view: &impl Read, scope: &Regional, alias: &str) -> Result<(), Error> {
    let taken = view.find::<ByAlias>(&(scope.uin, scope.region.clone(), alias.to_owned()))?;
    if taken.is_some() { Err(Error::AliasTaken(alias.to_owned())) } else { Ok(()) }
}

/// What a new key starts with.
#[derive(Clone)]
pub(crate) enum NewMaterial {
    Pair(Material),
    Symmetric(Version),
    /// It is to be imported.
    None,
}

/// Adds a new key with its material and tags, last in the order of creation.
pub(crate) fn add(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    id: &KeyId,
    mut key: Key,
    material: &NewMaterial,
    tags: &Vec<KeyTag>,
) -> Result<(), Error> {
    check_alias_free(tx, scope, &key.alias)?;
    if tx.count_index::<BySequence>(oldest_first(scope).limit(KEY_LIMIT))? == KEY_LIMIT {
        return Err(Error::KeyLimit);
    }
    let newest = tx.scan_index::<BySequence>(newest_first(scope).limit(1))?;
    key.sequence = newest.first().map_or(0, |(_, _, key)| key.sequence + 1);
    let id = id.to_string();
    if !tx.insert::<Keys>(scope, &id, &key)? {
        return Err(Error::Damaged("a new key was given the id of another one"));
    }
    match material {
        NewMaterial::Pair(pair) => tx.put::<Materials>(scope, &id, pair)?,
        NewMaterial::Symmetric(version) => {
            tx.put::<Versions>(scope, &(id.clone(), u64::from(key.version)), version)?;
        }
        NewMaterial::None => {}
    }
    tags::attach(tx, scope, key.creator, &id, tags)?;
    Ok(())
}

/// Removes a key, and everything that is kept because of it, for good.
pub(crate) fn remove(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    id: &str,
    key: &Key,
) -> Result<(), StoreError> {
    let id = id.to_owned();
    tx.delete::<Keys>(scope, &id)?;
    tx.delete::<Materials>(scope, &id)?;
    remove_versions(tx, scope, &id)?;
    tx.delete::<ImportParameters>(scope, &id)?;
    for binding in tx.scan_keys::<Bindings>(scope, Scan::all().prefix(id.as_str()))? {
        tx.delete::<Bindings>(scope, &binding)?;
    }
    tags::detach(tx, scope, key.creator, &id)?;
    Ok(())
}

/// Removes a symmetric key's material.
pub(crate) fn remove_versions(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    id: &str,
) -> Result<(), StoreError> {
    for version in tx.scan_keys::<Versions>(scope, Scan::all().prefix(id))? {
        tx.delete::<Versions>(scope, &version)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn aliases_follow_the_rules() {
        for good in ["a", "0", "Build-key_1", "kms", "KMS-a", "a-kms-b", &"x".repeat(60)] {
            assert!(check_alias(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "_a", "a b", "a.b", "schlüssel", "密钥", "kms-a", &"x".repeat(61)] {
            assert!(matches!(check_alias(bad), Err(Error::InvalidAlias)), "{bad}");
        }
    }

    #[test]
    fn ids_other_than_lower_case_uuids_are_malformed() {
        let good = "08408a30-0416-11ed-abdc-52540036b432";
        assert_eq!(KeyId::parse(good).unwrap().as_str(), good);
        for bad in [
            "",
            "*",
            "08408a30041611edabdc52540036b432",
            "08408A30-0416-11ED-ABDC-52540036B432",
            "08408a30-0416-11ed-abdc-52540036b43",
            "08408a30-0416-11ed-abdc-52540036b4321",
            "08408a30-0416-11ed-abdc_52540036b432",
            "g8408a30-0416-11ed-abdc-52540036b432",
        ] {
            assert!(matches!(KeyId::parse(bad), Err(Error::MalformedKeyId)), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_id_is_made_of_its_bytes(bytes: [u8; 16]) {
            let id = KeyId::from_bytes(bytes);
            prop_assert_eq!(KeyId::parse(id.as_str()).unwrap(), id.clone());
            prop_assert_eq!(id.to_bytes(), Some(bytes));
        }

        #[test]
        fn an_accepted_id_is_written_as_it_was_read(text in "[0-9a-fA-F-]{34,38}") {
            if let Ok(id) = KeyId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn no_text_breaks_the_checks(text: String) {
            let _ = KeyId::parse(&text);
            if check_alias(&text).is_ok() {
                prop_assert!(text.is_ascii() && (1..=60).contains(&text.len()));
            }
        }
    }
}
