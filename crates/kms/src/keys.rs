//! The keys as they are stored, and the words and rules that they follow (`products.md` §3.2 to §3.6).

use std::fmt;

use rookery_api::kms::KeyMetadata;
use rookery_seal::Sealed;
use rookery_signing::{Algorithm, KeyUsage as SigningUsage};
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::error::{Error, shortened};

/// The longest description, in bytes.
pub(crate) const DESCRIPTION_LIMIT: usize = 1024;
/// The longest alias, in characters.
const ALIAS_LIMIT: usize = 60;
/// How the aliases begin that are reserved for cloud products.
const RESERVED_ALIAS: &str = "kms-";
/// `Origin` of keys whose material was made here.
pub(crate) const ORIGIN: &str = "TENCENT_KMS";
/// `Owner` of keys that no cloud product made.
const OWNER: &str = "user";
/// `KeyMetadata.Type`: keys of the international algorithms. 4 would be keys of the SM series.
const INTERNATIONAL: i64 = 2;

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

/// The usages that keys can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyUsage {
    #[serde(rename = "ASYMMETRIC_SIGN_VERIFY_RSA_2048")]
    SignVerifyRsa2048,
    #[serde(rename = "ASYMMETRIC_SIGN_VERIFY_ECC")]
    SignVerifyEcc,
}

/// The usages that the platform has besides [`KeyUsage`].
const NOT_IMPLEMENTED: [&str; 5] = [
    "ENCRYPT_DECRYPT",
    "ASYMMETRIC_DECRYPT_RSA_2048",
    "ASYMMETRIC_DECRYPT_SM2",
    "ASYMMETRIC_SIGN_VERIFY_SM2",
    "ASYMMETRIC_SIGN_VERIFY_ECDSA384",
];

impl KeyUsage {
    const ALL: [Self; 2] = [Self::SignVerifyRsa2048, Self::SignVerifyEcc];
    /// The usage of a key for which none is asked, and of the keys that a list shows for which none is asked.
    pub(crate) const DEFAULT: &'static str = "ENCRYPT_DECRYPT";

    /// The word on the wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::SignVerifyRsa2048 => "ASYMMETRIC_SIGN_VERIFY_RSA_2048",
            Self::SignVerifyEcc => "ASYMMETRIC_SIGN_VERIFY_ECC",
        }
    }

    /// The usage that a new key is asked to have.
    pub(crate) fn parse(word: &str) -> Result<Self, Error> {
        let known = Self::known(word)?;
        Self::ALL.into_iter().find(|usage| usage.word() == known).ok_or(Error::KeyUsageNotImplemented(known))
    }

    /// The word itself, provided that the platform has such a usage.
    pub(crate) fn known(word: &str) -> Result<&'static str, Error> {
        let all = Self::ALL.into_iter().map(Self::word).chain(NOT_IMPLEMENTED);
        all.into_iter().find(|known| *known == word).ok_or_else(|| Error::UnknownKeyUsage(shortened(word)))
    }

    /// `algorithm`, provided that keys of this usage sign with it. `None` is one that suits no key here.
    pub(crate) fn suited(self, algorithm: Option<Algorithm>) -> Result<Algorithm, Error> {
        match (self, algorithm) {
            (
                Self::SignVerifyRsa2048,
                Some(suited @ (Algorithm::RsaPkcs1Sha256 | Algorithm::RsaPssSha256)),
            )
            | (Self::SignVerifyEcc, Some(suited @ Algorithm::EcdsaP256Sha256)) => Ok(suited),
            _ => Err(Error::UnsuitedAlgorithm(self.word())),
        }
    }
}

impl From<KeyUsage> for SigningUsage {
    fn from(usage: KeyUsage) -> Self {
        match usage {
            KeyUsage::SignVerifyRsa2048 => Self::Rsa2048,
            KeyUsage::SignVerifyEcc => Self::EccP256,
        }
    }
}

/// The states that a key can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
}

impl KeyState {
    /// The word on the wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
        }
    }
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
    pub(crate) tags: Vec<KeyTag>,
}

/// A tag of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyTag {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl Key {
    /// The key as `DescribeKey` and `ListKeyDetail` show it. Rotation, expiry, deletion, replicas in other regions, HSM
    /// clusters and member accounts have no part in these keys, and show the zeros and empty texts of keys without them.
    pub(crate) fn metadata(&self, id: String) -> KeyMetadata {
        KeyMetadata {
            alias: self.alias.clone(),
            create_time: self.created,
            description: self.description.clone(),
            key_state: self.state.word().to_owned(),
            key_usage: self.usage.word().to_owned(),
            r#type: INTERNATIONAL,
            creator_uin: self.creator,
            key_rotation_enabled: false,
            owner: OWNER.to_owned(),
            next_rotate_time: 0,
            deletion_date: 0,
            origin: ORIGIN.to_owned(),
            valid_to: 0,
            resource_id: format!("creatorUin/{}/{id}", self.creator),
            hsm_cluster_id: String::new(),
            rotate_days: 0,
            last_rotate_time: 0,
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
}

/// The keys by their ids.
pub(crate) struct Keys;

impl Table for Keys {
    const NAME: &'static str = "kms.keys";
    type Scope = Regional;
    type Key = String;
    type Row = Key;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByAlias, &BySequence];
}

/// Account, region, alias.
pub(crate) struct ByAlias;

impl Index for ByAlias {
    type Table = Keys;
    type Value = (u64, String, String);
    const NAME: &'static str = "alias";
    const UNIQUE: bool = true;

    fn value(scope: &Regional, _: &String, key: &Key) -> Option<Self::Value> {
        Some((scope.uin, scope.region.clone(), key.alias.clone()))
    }
}

/// Account, region, order of creation.
pub(crate) struct BySequence;

impl Index for BySequence {
    type Table = Keys;
    type Value = (u64, String, u64);
    const NAME: &'static str = "sequence";
    const UNIQUE: bool = true;

    fn value(scope: &Regional, _: &String, key: &Key) -> Option<Self::Value> {
        Some((scope.uin, scope.region.clone(), key.sequence))
    }
}

/// The keys of an account in a region, newest first.
pub(crate) fn newest_first(scope: &Regional) -> Scan<(u64, String, u64)> {
    oldest_first(scope).reverse()
}

/// The keys of an account in a region, oldest first.
pub(crate) fn oldest_first(scope: &Regional) -> Scan<(u64, String, u64)> {
    Scan::all().prefix(&(scope.uin, scope.region.clone()))
}

/// The key pair of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Material {
    /// The public key: DER `SubjectPublicKeyInfo` in Base64.
    pub(crate) public_key: String,
    /// The private key: PKCS#8, sealed for [`seal_context`].
    pub(crate) private_key: Sealed,
}

/// The material by the ids of the keys, apart from them so that lists do not read it.
pub(crate) struct Materials;

impl Table for Materials {
    const NAME: &'static str = "kms.materials";
    type Scope = Regional;
    type Key = String;
    type Row = Material;
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

/// Adds a new key with its material, last in the order of creation.
pub(crate) fn add(
    tx: &mut Transaction<'_>,
    scope: &Regional,
    id: &KeyId,
    mut key: Key,
    material: &Material,
) -> Result<(), Error> {
    check_alias_free(tx, scope, &key.alias)?;
    let newest = tx.scan_index::<BySequence>(newest_first(scope).limit(1))?;
    key.sequence = newest.first().map_or(0, |(_, _, key)| key.sequence + 1);
    let id = id.to_string();
    if !tx.insert::<Keys>(scope, &id, &key)? {
        return Err(Error::Damaged("a new key was given the id of another one"));
    }
    tx.put::<Materials>(scope, &id, material)?;
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

    #[test]
    fn usages_are_implemented_known_or_neither() {
        for usage in KeyUsage::ALL {
            assert_eq!(KeyUsage::parse(usage.word()).unwrap(), usage);
        }
        for word in NOT_IMPLEMENTED {
            assert!(
                matches!(KeyUsage::parse(word), Err(Error::KeyUsageNotImplemented(known)) if known == word)
            );
            assert_eq!(KeyUsage::known(word).unwrap(), word);
        }
        assert!(matches!(KeyUsage::parse("encrypt_decrypt"), Err(Error::UnknownKeyUsage(_))));
    }

    proptest! {
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
