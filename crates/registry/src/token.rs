//! Bearer tokens: JSON Web Tokens signed with RS256, and the key that signs them.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::access::{Actions, Subject};
use crate::cache::Generations;
use crate::names::{RegistryId, Repository};

/// Seconds for which a token is valid.
pub(crate) const LIFETIME: i64 = 1800;

/// Seconds by which the clocks of issuer and verifier may differ.
const LEEWAY: i64 = 60;

/// A token longer than this is not looked at.
const MAX_LENGTH: usize = 64 * 1024;

/// How many verified tokens are remembered, so that a client's next request costs a comparison instead of a signature check.
const REMEMBERED: usize = 4096;

/// The key is no RSA key of at least 2048 bits in PKCS#8 form, or the system has no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token key is not usable")]
pub struct TokenKeyError;

/// The private key that signs tokens: RSA in unencrypted PKCS#8 DER. Whoever keeps it has to seal it.
#[derive(Clone)]
pub struct TokenKey(Zeroizing<Vec<u8>>);

impl TokenKey {
    /// A fresh RSA-2048 key from the operating system's randomness. Takes some tens of milliseconds.
    pub fn generate() -> Result<Self, TokenKeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| TokenKeyError)?;
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| TokenKeyError)?;
        Ok(Self(Zeroizing::new(der.as_ref().to_vec())))
    }

    /// Takes back what [`TokenKey::pkcs8`] gave.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, TokenKeyError> {
        RsaKeyPair::from_pkcs8(der).map_err(|_| TokenKeyError)?;
        Ok(Self(Zeroizing::new(der.to_vec())))
    }

    /// The key in PKCS#8 DER, to be sealed and kept.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

/// One entry of the `access` claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

impl Grant {
    pub(crate) fn repository(repository: &Repository, actions: Actions) -> Self {
        Self {
            kind: "repository".to_owned(),
            name: repository.canonical(),
            actions: actions.names().map(str::to_owned).collect(),
        }
    }

    /// The right to list the repositories of one registry.
    pub(crate) fn catalog(registry: &RegistryId) -> Self {
        Self { kind: "registry".to_owned(), name: catalog_name(registry), actions: vec!["*".to_owned()] }
    }
}

/// `:` is in no repository name, so a catalogue cannot be taken for a repository or the other way round.
fn catalog_name(registry: &RegistryId) -> String {
    format!("{registry}:catalog")
}

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    access: Vec<Grant>,
    /// Who logged in; absent for an anonymous token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Subject>,
}

impl Claims {
    pub(crate) fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// What the token lets its bearer do on `repository`.
    pub(crate) fn actions(&self, repository: &Repository) -> Actions {
        self.access
            .iter()
            .filter(|grant| grant.kind == "repository" && repository.is_called(&grant.name))
            .fold(Actions::NONE, |all, grant| {
                all | Actions::from_names(grant.actions.iter().map(String::as_str))
            })
    }

    pub(crate) fn may_list(&self, registry: &RegistryId) -> bool {
        self.access.iter().any(|grant| grant.kind == "registry" && grant.name == catalog_name(registry))
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
}

/// Signs tokens and checks them.
pub(crate) struct Tokens {
    pair: RsaKeyPair,
    public: Vec<u8>,
    kid: String,
    issuer: String,
    service: String,
    verified: Generations<u64, Arc<Verified>>,
    /// Where tokens are remembered, by their signatures.
    places: RandomState,
}

/// A token whose signature was found good.
struct Verified {
    token: Zeroizing<String>,
    claims: Arc<Claims>,
}

impl Verified {
    fn is(&self, token: &str) -> bool {
        verify_slices_are_equal(self.token.as_bytes(), token.as_bytes()).is_ok()
    }
}

impl Tokens {
    pub(crate) fn new(key: &TokenKey, issuer: String, service: String) -> Result<Self, TokenKeyError> {
        let pair = RsaKeyPair::from_pkcs8(key.pkcs8()).map_err(|_| TokenKeyError)?;
        let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).map_err(|_| TokenKeyError)?;
        let kid = key_id(spki.as_ref());
        let public = pair.public_key().as_ref().to_vec();
        let (verified, places) = (Generations::new(REMEMBERED), RandomState::new());
        Ok(Self { pair, public, kid, issuer, service, verified, places })
    }

    /// The `service` of the challenge and the `aud` of the tokens.
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// Signs a token for `subject` that is valid from `now` (UNIX seconds) for [`LIFETIME`] seconds.
    pub(crate) fn issue(
        &self,
        subject: Option<&Subject>,
        access: Vec<Grant>,
        now: i64,
        id: String,
    ) -> Result<String, TokenKeyError> {
        let header = Header { alg: "RS256".into(), typ: Some("JWT".into()), kid: Some(self.kid.clone()) };
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: subject.map(|subject| subject.id.clone()).unwrap_or_default(),
            aud: self.service.clone(),
            exp: now + LIFETIME,
            nbf: now,
            iat: now,
            jti: id,
            access,
            subject: subject.cloned(),
        };
        let signed = format!("{}.{}", encode(&header)?, encode(&claims)?);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| TokenKeyError)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of `token`, if this key signed it for this service and it is valid at `now` (UNIX seconds).
    pub(crate) fn verify(&self, token: &str, now: i64) -> Option<Arc<Claims>> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        // Remembered under a keyed hash of its end and compared in constant time, so that a look's duration tells nothing about a token.
        let (_, signature) = token.rsplit_once('.')?;
        let place = self.places.hash_one(signature);
        let known = self.verified.get(&place).filter(|known| known.is(token));
        let claims = if let Some(known) = known {
            Arc::clone(&known.claims)
        } else {
            let claims = Arc::new(self.check_signature(token)?);
            let verified = Verified { token: Zeroizing::new(token.to_owned()), claims: Arc::clone(&claims) };
            self.verified.insert(place, Arc::new(verified));
            claims
        };
        let in_time = claims.nbf - LEEWAY <= now
            && claims.iat - LEEWAY <= now
            && now < claims.exp.checked_add(LEEWAY)?;
        in_time.then_some(claims)
    }

    fn check_signature(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = decode(header)?;
        if header.alg != "RS256" || header.kid.as_deref() != Some(self.kid.as_str()) {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public)
            .verify(signed.as_bytes(), &signature)
            .ok()?;
        let claims: Claims = decode(claims)?;
        let subject_agrees = claims.subject.as_ref().map_or("", |subject| subject.id.as_str()) == claims.sub;
        (claims.iss == self.issuer && claims.aud == self.service && subject_agrees).then_some(claims)
    }
}

fn encode(part: &impl Serialize) -> Result<String, TokenKeyError> {
    serde_json::to_vec(part).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| TokenKeyError)
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// The key id of Docker's libtrust: the first 240 bits of the public key's SHA-256 in base32, in groups of four.
fn key_id(spki: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::digest(spki);
    let mut characters = Vec::with_capacity(48);
    for five in hash.iter().take(30).collect::<Vec<_>>().chunks(5) {
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(**byte));
        for position in (0..8).rev() {
            let index = usize::try_from(bits >> (position * 5) & 31).unwrap_or_default();
            characters.extend(ALPHABET.get(index).copied().map(char::from));
        }
    }
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn tokens(key: &TokenKey) -> Tokens {
        Tokens::new(key, "issuer".into(), "service".into()).expect("a usable key")
    }

    fn repository(registry: &str) -> Repository {
        Repository::new(RegistryId::new(registry), "library/app").expect("valid")
    }

    #[test]
    fn a_token_says_what_it_was_issued_for() {
        let tokens = tokens(&TokenKey::generate().expect("randomness"));
        let access = vec![Grant::repository(&repository("one"), Actions::PULL | Actions::PUSH)];
        let token = tokens.issue(Some(&Subject::new("alice")), access, NOW, "id".into()).expect("signed");
        for _ in 0..2 {
            let claims = tokens.verify(&token, NOW).expect("valid");
            assert_eq!(claims.actions(&repository("one")), Actions::PULL | Actions::PUSH);
            assert_eq!(claims.actions(&repository("two")), Actions::NONE);
            assert!(!claims.may_list(&RegistryId::new("one")));
            assert_eq!(claims.subject(), Some(&Subject::new("alice")));
        }
    }

    #[test]
    fn a_token_is_valid_for_its_time_and_a_minute_around_it() {
        let tokens = tokens(&TokenKey::generate().expect("randomness"));
        let token = tokens.issue(None, Vec::new(), NOW, "id".into()).expect("signed");
        assert!(tokens.verify(&token, NOW - 60).is_some());
        assert!(tokens.verify(&token, NOW - 61).is_none());
        assert!(tokens.verify(&token, NOW + LIFETIME + 59).is_some());
        assert!(tokens.verify(&token, NOW + LIFETIME + 60).is_none());
    }

    #[test]
    fn foreign_and_altered_tokens_are_refused() {
        let key = TokenKey::generate().expect("randomness");
        let ours = tokens(&key);
        let token = ours.issue(None, Vec::new(), NOW, "id".into()).expect("signed");
        let foreign = tokens(&TokenKey::generate().expect("randomness"));
        assert!(foreign.verify(&token, NOW).is_none());
        let other_service = Tokens::new(&key, "issuer".into(), "another".into()).expect("usable");
        assert!(other_service.verify(&token, NOW).is_none());
        let other_issuer = Tokens::new(&key, "another".into(), "service".into()).expect("usable");
        assert!(other_issuer.verify(&token, NOW).is_none());

        let parts: Vec<&str> = token.split('.').collect();
        let unsigned = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","kid":"{}"}}"#, ours.kid));
        let hmac = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"HS256","kid":"{}"}}"#, ours.kid));
        for altered in [
            String::new(),
            "..".into(),
            "a.b".into(),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{unsigned}.{}.", parts[1]),
            format!("{hmac}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(b"{}"), parts[2]),
            format!("{token}A"),
            "a".repeat(MAX_LENGTH + 1),
        ] {
            assert!(ours.verify(&altered, NOW).is_none(), "{altered}");
        }
    }

    #[test]
    fn a_remembered_token_is_compared_whole() {
        let tokens = tokens(&TokenKey::generate().expect("randomness"));
        let issued = |registry| {
            let access = vec![Grant::repository(&repository(registry), Actions::PULL)];
            tokens.issue(None, access, NOW, "id".into()).expect("signed")
        };
        let (one, two) = (issued("one"), issued("two"));
        assert!(tokens.verify(&one, NOW).is_some() && tokens.verify(&two, NOW).is_some());
        let (claims, _) = two.rsplit_once('.').expect("signed");
        let (_, signature) = one.rsplit_once('.').expect("signed");
        assert!(tokens.verify(&format!("{claims}.{signature}"), NOW).is_none());
        assert!(tokens.verify(&one, NOW).is_some());
    }

    #[test]
    fn a_key_survives_being_kept() {
        let key = TokenKey::generate().expect("randomness");
        let again = TokenKey::from_pkcs8(key.pkcs8()).expect("the same key");
        let token = tokens(&key).issue(None, Vec::new(), NOW, "id".into()).expect("signed");
        assert!(tokens(&again).verify(&token, NOW).is_some());
        assert_eq!(TokenKey::from_pkcs8(b"no key").err(), Some(TokenKeyError));
        assert_eq!(format!("{key:?}"), "TokenKey(…)");
    }

    #[test]
    fn key_ids_have_the_libtrust_form() {
        let id = key_id(b"anything");
        assert_eq!(id.len(), 59);
        assert!(id.split(':').all(|group| group.len() == 4) && id.split(':').count() == 12);
    }
}
