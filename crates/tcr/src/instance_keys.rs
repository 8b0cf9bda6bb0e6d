//! The key that signs an instance's login tokens, and the tokens' outer form: JWS with RS256 and a libtrust key id (`tcr.md` §1.6).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rookery_registry::TokenKeyError;
use rookery_seal::{Seal, SealError, Sealed};
use rookery_store::{ErasedIndex, Index, Read, Regional, Table};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Tcr;
use crate::error::Error;
use crate::instances::{self, Instance};

/// A token longer than this is not looked at.
const LONGEST: usize = 8 * 1024;

/// The key of each instance that has issued a token.
pub(crate) struct InstanceKeys;

/// What is kept of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InstanceKeyRow {
    /// The private key, PKCS#8.
    sealed: Sealed,
    /// The public key, PKCS#1, in base64: checking a token opens no seal.
    public: String,
    kid: String,
}

impl Table for InstanceKeys {
    const NAME: &'static str = "tcr.instance-keys";
    type Scope = Regional;
    type Key = String;
    type Row = InstanceKeyRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByKeyId];
}

/// Finds the instance that a token is for, where the address does not tell.
pub(crate) struct ByKeyId;

impl Index for ByKeyId {
    type Table = InstanceKeys;
    type Value = String;
    const NAME: &'static str = "kid";
    const UNIQUE: bool = true;

    fn value(_: &Regional, _: &String, row: &InstanceKeyRow) -> Option<String> {
        Some(row.kid.clone())
    }
}

/// The header of a token, its members in the order of the platform's own.
#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

/// A key that is ready to sign.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    kid: String,
}

impl SigningKey {
    /// The token that holds `claims`.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, TokenKeyError> {
        let header = Header { alg: "RS256".to_owned(), kid: self.kid.clone() };
        let signed = format!("{}.{}", encode(&header)?, encode(claims)?);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| TokenKeyError)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl Tcr {
    /// The key of an instance, made when it is first needed.
    pub(crate) async fn signing_key(&self, instance: &Instance) -> Result<SigningKey, Error> {
        let kept = self.store.read(|view| view.get::<InstanceKeys>(&instance.scope, &instance.id))?;
        let row = match kept {
            Some(row) => row,
            None => self.make_key(instance).await?,
        };
        let private = self.seal.open(&context(&instance.id), &row.sealed)?;
        let pair = RsaKeyPair::from_pkcs8(&private).map_err(|_| TokenKeyError)?;
        Ok(SigningKey { pair, kid: row.kid })
    }

    /// Keeps a fresh key, unless another call has been quicker: then that one's.
    async fn make_key(&self, instance: &Instance) -> Result<InstanceKeyRow, Error> {
        let (seal, id) = (self.seal.clone(), instance.id.clone());
        let fresh = tokio::task::spawn_blocking(move || generate(&seal, &id)).await??;
        let (scope, id) = (instance.scope.clone(), instance.id.clone());
        self.store
            .write(move |tx| {
                instances::existing(tx, &scope, &id, instances::NEW_TOKEN)?;
                if tx.insert::<InstanceKeys>(&scope, &id, &fresh)? {
                    return Ok(fresh.clone());
                }
                Ok(tx.get::<InstanceKeys>(&scope, &id)?.unwrap_or_else(|| fresh.clone()))
            })
            .await
    }
}

/// The place that a sealed key is bound to.
pub(crate) fn context(id: &str) -> String {
    format!("tcr/instance-key/{id}")
}

fn generate(seal: &Seal, id: &str) -> Result<InstanceKeyRow, Error> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| TokenKeyError)?;
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| TokenKeyError)?;
    let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).map_err(|_| TokenKeyError)?;
    Ok(InstanceKeyRow {
        sealed: seal.seal(&context(id), private.as_ref()).map_err(|error: SealError| Error::Seal(error))?,
        public: STANDARD.encode(pair.public_key().as_ref()),
        kid: key_id(spki.as_ref()),
    })
}

/// The instance whose key signed the token, and its claims. `None` for anything that is not a token of an instance here.
pub(crate) fn verify<C: DeserializeOwned>(
    read: &impl Read,
    token: &str,
) -> Result<Option<(Regional, String, C)>, Error> {
    if token.len() > LONGEST {
        return Ok(None);
    }
    let Some((signed, signature)) = token.rsplit_once('.') else { return Ok(None) };
    let Some((header, claims)) = signed.split_once('.') else { return Ok(None) };
    let Some(header) = decode::<Header>(header).filter(|header| header.alg == "RS256") else {
        return Ok(None);
    };
    let Some((scope, id, row)) = read.find::<ByKeyId>(header.kid.as_str())? else { return Ok(None) };
    let (Ok(public), Ok(signature)) = (STANDARD.decode(&row.public), URL_SAFE_NO_PAD.decode(signature))
    else {
        return Ok(None);
    };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    if key.verify(signed.as_bytes(), &signature).is_err() {
        return Ok(None);
    }
    Ok(decode(claims).map(|claims| (scope, id, claims)))
}

fn encode(part: &impl Serialize) -> Result<String, TokenKeyError> {
    serde_json::to_vec(part).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| TokenKeyError)
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The key id of Docker's libtrust: the first 240 bits of the public key's SHA-256 in base32, in groups of four.
fn key_id(spki: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = digest(&SHA256, spki);
    let mut id = String::with_capacity(59);
    for (group, bytes) in hash.as_ref().chunks(5).take(6).enumerate() {
        let bits = bytes.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        for position in 0..8_usize {
            if position % 4 == 0 && (group, position) != (0, 0) {
                id.push(':');
            }
            let five = (bits >> (35 - 5 * position)) & 31;
            id.extend(ALPHABET.get(usize::try_from(five).unwrap_or_default()).copied().map(char::from));
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rookery_store::Store;

    use super::*;

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,60}", dots in 0_usize..4) {
            let token = format!("{text}{}", ".e30".repeat(dots));
            let store = Store::in_memory();
            let claims = store.read(|view| verify::<serde_json::Value>(view, &token));
            prop_assert!(claims.unwrap().is_none());
        }
    }

    #[test]
    fn key_ids_are_the_base32_of_240_bits() {
        // SHA-256 of nothing is e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855; base32 by coreutils.
        assert_eq!(key_id(b""), "4OYM:IQUY:7QOB:JGX3:6TEJ:S35Z:EQT2:4QPE:MSNZ:GTFE:SWMR:W6CS");
    }
}
