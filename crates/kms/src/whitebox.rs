//! White-box keys as they are stored, and the rules that they follow (`products.md` §3.1, §3.6).
//!
//! No crate offers white-box cryptography, which hides a key in the code that uses it. The keys here are ordinary ones: whoever has
//! one of the files of [`key_file`] in clear has the key. Device fingerprints are real all the same: a file that is bound to them
//! opens for nobody who does not know one.

pub(crate) mod batch;
pub(crate) mod error;
pub(crate) mod key_file;

use rookery_api::kms::{DeviceFingerprint, WhiteboxKeyInfo};
use rookery_gateway::{Call, Resource};
use rookery_seal::{Seal, Sealed};
use rookery_store::{ErasedIndex, Read, Regional, Table, Transaction};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use self::error::WhiteBoxError;
use crate::error::{Error, shortened};
use crate::indexes::{newest_first, regional_index};
use crate::keys::KeyId;
use crate::primitives::block::{self, BLOCK_LENGTH};
use crate::tags::{self, KeyTag};
use crate::{Kms, resources_in};

/// How many keys an account has in a region at most.
pub(crate) const KEY_LIMIT: usize = 50;
/// How many fingerprints a key has at most.
pub(crate) const FINGERPRINT_LIMIT: usize = 200;

/// What a white-box key encrypts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    #[serde(rename = "AES_256")]
    Aes256,
    #[serde(rename = "SM4")]
    Sm4,
}

impl Algorithm {
    /// Reads the word of a request.
    pub(crate) fn parse(word: &str) -> Result<Self, Error> {
        match word {
            "AES_256" => Ok(Self::Aes256),
            "SM4" => Ok(Self::Sm4),
            other => Err(WhiteBoxError::UnknownAlgorithm(shortened(other)).into()),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Aes256 => "AES_256",
            Self::Sm4 => "SM4",
        }
    }

    /// The number in a key's files.
    fn number(self) -> u8 {
        match self {
            Self::Aes256 => 1,
            Self::Sm4 => 2,
        }
    }

    fn key_length(self) -> usize {
        match self {
            Self::Aes256 => 32,
            Self::Sm4 => 16,
        }
    }

    /// A new key.
    pub(crate) fn generate(self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut key = Zeroizing::new(vec![0; self.key_length()]);
        aws_lc_rs::rand::fill(&mut key)
            .map_err(|_| Error::Cryptography("no randomness for a white-box key"))?;
        Ok(key)
    }

    /// Encrypts a text, by cipher block chaining with padding.
    pub(crate) fn encrypt(
        self,
        key: &[u8],
        vector: [u8; BLOCK_LENGTH],
        text: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let damaged = |_| Error::Damaged("a white-box key has a wrong length");
        match self {
            Self::Aes256 => block::aes_256_cbc(key.try_into().map_err(damaged)?, vector, text),
            Self::Sm4 => Ok(block::sm4_cbc(key.try_into().map_err(damaged)?, vector, text)),
        }
    }
}

/// A device that may use a key's decrypt file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) identity: String,
    pub(crate) description: Option<String>,
}

impl From<Fingerprint> for DeviceFingerprint {
    fn from(fingerprint: Fingerprint) -> Self {
        Self { identity: fingerprint.identity, description: fingerprint.description }
    }
}

/// Whether a text has the form that the platform gives fingerprints.
pub(crate) fn is_fingerprint(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 14, 14, 14, 16])
        && groups.iter().all(|group| group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// A white-box key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WhiteBoxKey {
    pub(crate) alias: String,
    pub(crate) description: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) enabled: bool,
    /// The number of the identity that made it.
    pub(crate) creator: u64,
    /// UNIX seconds.
    pub(crate) created: u64,
    /// Its place among the keys of its account and region, in the order in which they were made.
    pub(crate) sequence: u64,
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// The key itself, sealed for [`seal_context`].
    pub(crate) key: Sealed,
}

/// What a white-box key is sealed for.
pub(crate) fn seal_context(id: &KeyId) -> String {
    format!("kms/white-box/{id}")
}

impl WhiteBoxKey {
    /// The file with which one encrypts, and the one with which one decrypts.
    pub(crate) fn files(&self, seal: &Seal, id: &KeyId) -> Result<(String, String), Error> {
        let key = seal.open(&seal_context(id), &self.key)?;
        let fingerprints = self.fingerprints.iter().map(|fingerprint| fingerprint.identity.as_str());
        Ok((
            key_file::to_encrypt(id, self.algorithm, &key)?,
            key_file::to_decrypt(id, self.algorithm, &key, fingerprints)?,
        ))
    }

    /// The key as it is described.
    pub(crate) fn info(self, seal: &Seal, owner: u64, id: &KeyId) -> Result<WhiteboxKeyInfo, Error> {
        let (encrypt_key, decrypt_key) = self.files(seal, id)?;
        Ok(WhiteboxKeyInfo {
            key_id: id.to_string(),
            alias: self.alias,
            creator_uin: self.creator,
            description: self.description,
            create_time: self.created,
            status: if self.enabled { "Enabled" } else { "Disabled" }.to_owned(),
            owner_uin: owner,
            algorithm: self.algorithm.word().to_owned(),
            encrypt_key,
            decrypt_key,
            resource_id: format!("creatorUin/{}/{id}", self.creator),
            device_fingerprint_bind: !self.fingerprints.is_empty(),
        })
    }
}

/// The white-box keys by their ids.
pub(crate) struct WhiteBoxKeys;

impl Table for WhiteBoxKeys {
    const NAME: &'static str = "kms.white-box-keys";
    type Scope = Regional;
    type Key = String;
    type Row = WhiteBoxKey;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByAlias, &BySequence];
}

regional_index! {
    /// Account, region, alias.
    ByAlias: WhiteBoxKeys, "alias", alias: String
}

regional_index! {
    /// Account, region, order of creation.
    BySequence: WhiteBoxKeys, "sequence", sequence: u64
}

/// The key of that id, whatever its status.
pub(crate) fn existing(view: &impl Read, scope: &Regional, id: &KeyId) -> Result<WhiteBoxKey, Error> {
    let found = view.get::<WhiteBoxKeys>(scope, id.as_str())?;
    found.ok_or_else(|| WhiteBoxError::NotFound(id.clone()).into())
}

/// Adds a new key, last in the order of creation.
pub(crate) fn add(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    id: &KeyId,
    mut key: WhiteBoxKey,
    tags: &Vec<KeyTag>,
) -> Result<(), Error> {
    if tx.find::<ByAlias>(&(scope.uin, scope.region.clone(), key.alias.clone()))?.is_some() {
        return Err(Error::AliasTaken(key.alias));
    }
    if tx.count_index::<BySequence>(newest_first(scope))? >= KEY_LIMIT {
        return Err(WhiteBoxError::TooManyKeys.into());
    }
    let newest = tx.scan_index::<BySequence>(newest_first(scope).limit(1))?;
    key.sequence = newest.first().map_or(0, |(_, _, key)| key.sequence + 1);
    if !tx.insert::<WhiteBoxKeys>(scope, &id.to_string(), &key)? {
        return Err(Error::Damaged("a new white-box key was given the id of another one"));
    }
    Ok(tags::attach(tx, scope, key.creator, id.as_str(), tags)?)
}

/// Removes a disabled key.
pub(crate) fn remove(tx: &mut Transaction<'_>, scope: &Regional, id: &KeyId) -> Result<(), Error> {
    let key = existing(tx, scope, id)?;
    if key.enabled {
        return Err(WhiteBoxError::NotDisabled(id.clone()).into());
    }
    tx.delete::<WhiteBoxKeys>(scope, &id.to_string())?;
    tags::detach(tx, scope, key.creator, id.as_str())?;
    Ok(())
}

/// The resources of white-box keys that a request names, as those of other keys are named.
pub(crate) fn resources<R, I>(kms: &Kms, call: &Call<R>, ids: I) -> Vec<Resource>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    resources_in::<WhiteBoxKeys, R, I>(kms, call, ids, |key| key.creator)
}

/// Changes the key of that id.
pub(crate) fn change(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    id: &KeyId,
    change: impl FnOnce(&mut WhiteBoxKey),
) -> Result<(), Error> {
    let mut key = existing(tx, scope, id)?;
    change(&mut key);
    Ok(tx.put::<WhiteBoxKeys>(scope, &id.to_string(), &key)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fingerprints_have_five_groups_of_hexadecimal_digits() {
        let good = "0177ebba-5ad6930a52d808-0123456789ab03-ddfd218bab945f-0c275b7f7d2c8c68";
        assert!(is_fingerprint(good));
        for bad in [
            "",
            "c19c024c-2ba1-11b2-a85c-96f970f4a8e1",
            &good.to_uppercase(),
            &good[1..],
            &good.replace("0177", "g177"),
            &format!("{good}-"),
            &format!("{good}\n"),
        ] {
            assert!(!is_fingerprint(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_check(text: String) {
            prop_assert!(!is_fingerprint(&text) || text.len() == 70);
        }
    }
}
