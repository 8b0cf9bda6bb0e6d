//! Temporary keys: what STS gives out and the gateway takes back.
//!
//! A token is its own record: who it speaks for, the SecretKey, until when, within which policy, all sealed (AES-256-GCM under a key of
//! its own, bound to its SecretId). So it is opaque and cannot be altered or moved to another SecretId, survives a restart, costs no
//! write, and an account with millions of them keeps nothing. It is taken back by what it stands on: the user, the role or the
//! permanent key that it was got with is looked up at every request, and when that is gone or disabled the token opens nothing.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use parking_lot::RwLock;
use rookery_gateway::permission::Tag;
use rookery_gateway::{Account, Caller, Credential, Principal, SecretKey, Session};
use rookery_policy::Document;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// The longest token, in bytes (`products.md` §4.2).
const LONGEST: usize = 4096;
/// How many opened tokens are kept, so that the next request with one costs a look instead of a decryption.
const KEPT: usize = 4096;
const FORMAT: u8 = 1;

/// What is to be given out.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) account: Account,
    pub(crate) principal: Principal,
    /// The permanent key without which the session ends; `None` for a role's.
    pub(crate) key: Option<String>,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) policy: Option<Document>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) source_identity: Option<String>,
}

/// A temporary key.
pub(crate) struct Issued {
    pub(crate) secret_id: String,
    pub(crate) secret_key: String,
    pub(crate) token: String,
}

/// Why no key could be given out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// With this policy and these tags the token would be longer than a token may be.
    #[error("the policy is too long for a token")]
    TooLong,
    /// The system gave no randomness, or the cipher refused.
    #[error("a token could not be sealed")]
    Seal,
}

/// What is sealed in a token.
#[derive(Serialize, Deserialize)]
struct Contents {
    format: u8,
    secret_key: String,
    account: u64,
    principal: Principal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    issued_at: i64,
    expires_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

/// An opened token.
pub(crate) struct Opened {
    secret_id: String,
    secret_key: SecretKey,
    account: u64,
    principal: Principal,
    /// The permanent key without which it opens nothing.
    pub(crate) key: Option<String>,
    session: Arc<Session>,
}

impl Opened {
    /// The credential, in the account that it was given out in.
    pub(crate) fn credential(&self, account: Account) -> Option<Credential> {
        let caller = Caller {
            account,
            principal: self.principal.clone(),
            secret_id: self.secret_id.clone(),
            session: Some(Arc::clone(&self.session)),
        };
        let secret_key = self.secret_key.clone();
        (self.account == account.uin).then_some(Credential { caller, secret_key })
    }
}

/// The key of tokens, and the tokens that were opened lately.
pub(crate) struct Sessions {
    key: RandomizedNonceKey,
    opened: RwLock<HashMap<String, Arc<Opened>>>,
}

/// Where a token is sealed for.
fn context(secret_id: &str) -> String {
    format!("sts/token/{secret_id}")
}

impl Sessions {
    pub(crate) fn new(key: RandomizedNonceKey) -> Self {
        Self { key, opened: RwLock::default() }
    }

    /// Makes a temporary key.
    pub(crate) fn issue(&self, grant: Grant) -> Result<Issued, IssueError> {
        let mut random = Zeroizing::new([0; 80]);
        SystemRandom::new().fill(&mut *random).map_err(|_| IssueError::Seal)?;
        let (id, key) = random.split_at(48);
        let secret_id = format!("AKID{}", BASE64_URL_SAFE_NO_PAD.encode(id));
        let secret_key = Zeroizing::new(BASE64_STANDARD.encode(key));
        let mut contents = Contents {
            format: FORMAT,
            secret_key: secret_key.to_string(),
            account: grant.account.uin,
            principal: grant.principal,
            key: grant.key,
            issued_at: grant.issued_at,
            expires_at: grant.expires_at,
            policy: grant.policy.map(|policy| policy.text().to_owned()),
            tags: grant.tags,
            source_identity: grant.source_identity,
        };
        let text = serde_json::to_vec(&contents).map(Zeroizing::new);
        contents.secret_key.zeroize();
        let mut text = text.map_err(|_| IssueError::Seal)?;
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(context(&secret_id).as_bytes()), &mut *text)
            .map_err(|_| IssueError::Seal)?;
        let token = BASE64_STANDARD.encode([&nonce.as_ref()[..], &text].concat());
        if token.len() > LONGEST {
            return Err(IssueError::TooLong);
        }
        Ok(Issued { secret_id, secret_key: secret_key.to_string(), token })
    }

    /// Opens a token for the SecretId that it came with; `None` for one that is not this key's, was altered, or has ended.
    pub(crate) fn open(&self, secret_id: &str, token: &str, now: i64) -> Option<Arc<Opened>> {
        if token.len() > LONGEST {
            return None;
        }
        let kept = self.opened.read().get(token).map(Arc::clone);
        let opened = match kept {
            Some(opened) => opened,
            None => self.open_anew(secret_id, token)?,
        };
        let session = &opened.session;
        // One from the future was sealed by a clock that was set back since: nothing says that it still counts.
        let timely = session.issued_at <= now && now < session.expires_at;
        (opened.secret_id == secret_id && timely).then_some(opened)
    }

    fn open_anew(&self, secret_id: &str, token: &str) -> Option<Arc<Opened>> {
        let mut sealed = Zeroizing::new(BASE64_STANDARD.decode(token).ok()?);
        let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.key.open_in_place(nonce, Aad::from(context(secret_id).as_bytes()), text).ok()?;
        let contents: Contents = serde_json::from_slice(text).ok()?;
        if contents.format != FORMAT {
            return None;
        }
        let policy = match &contents.policy {
            Some(text) => Some(Document::parse(text).ok()?),
            None => None,
        };
        let opened = Arc::new(Opened {
            secret_id: secret_id.to_owned(),
            secret_key: SecretKey::new(contents.secret_key),
            account: contents.account,
            principal: contents.principal,
            key: contents.key,
            session: Arc::new(Session {
                issued_at: contents.issued_at,
                expires_at: contents.expires_at,
                policy,
                tags: contents.tags,
                source_identity: contents.source_identity,
            }),
        });
        let mut kept = self.opened.write();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(token.to_owned(), Arc::clone(&opened));
        Some(opened)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::AES_256_GCM;

    use super::*;

    const ACCOUNT: Account = Account { uin: 100_000_000_001, app_id: 1 };

    fn grant() -> Grant {
        Grant {
            account: ACCOUNT,
            principal: Principal::Role { id: "4611".into(), name: "r".into(), session: "s".into() },
            key: None,
            issued_at: 1000,
            expires_at: 2000,
            policy: Some(
                Document::parse(
                    r#"{"version":"2.0","statement":{"effect":"allow","action":"tcr:*","resource":"*"}}"#,
                )
                .unwrap(),
            ),
            tags: vec![("k".to_owned(), "v".to_owned())],
            source_identity: Some("alice".to_owned()),
        }
    }

    fn house() -> Sessions {
        let mut random = [0; 32];
        SystemRandom::new().fill(&mut random).unwrap();
        Sessions::new(RandomizedNonceKey::new(&AES_256_GCM, &random).unwrap())
    }

    #[test]
    fn a_token_gives_back_what_was_sealed_in_it() {
        let sessions = house();
        let issued = sessions.issue(grant()).unwrap();
        assert!(issued.secret_id.starts_with("AKID") && issued.secret_id.len() > 36);
        assert!(!issued.token.contains(&issued.secret_key));
        for _ in 0..2 {
            let opened = sessions.open(&issued.secret_id, &issued.token, 1000).unwrap();
            let credential = opened.credential(ACCOUNT).unwrap();
            assert_eq!(credential.secret_key.reveal(), issued.secret_key);
            let session = credential.caller.session.unwrap();
            assert_eq!(session.policy, grant().policy);
            assert_eq!((&session.tags, &session.source_identity), (&grant().tags, &grant().source_identity));
            assert_eq!(credential.caller.principal, grant().principal);
        }
        assert!(
            sessions
                .open(&issued.secret_id, &issued.token, 1000)
                .unwrap()
                .credential(Account { uin: 2, app_id: 1 })
                .is_none()
        );
    }

    #[test]
    fn a_token_is_good_for_its_key_its_time_and_its_seal_only() {
        let sessions = house();
        let (one, other) = (sessions.issue(grant()).unwrap(), sessions.issue(grant()).unwrap());
        let opens = |id: &str, token: &str, now| sessions.open(id, token, now).is_some();
        // Twice: before and after it is kept.
        for _ in 0..2 {
            assert!(!opens(&other.secret_id, &one.token, 1500), "another key's token");
            assert!(!opens("AKIDnobody", &one.token, 1500));
            assert!(!opens(&one.secret_id, &one.token, 999), "from the future");
            assert!(!opens(&one.secret_id, &one.token, 2000), "expired");
            assert!(opens(&one.secret_id, &one.token, 1999));
        }
        for altered in ["", "x", "AAAA", &one.token[4..], &format!("{}A", one.token), &"A".repeat(5000)] {
            assert!(!opens(&one.secret_id, altered, 1500), "{altered}");
        }
        for position in (0..one.token.len()).step_by(7) {
            let mut altered = one.token.clone().into_bytes();
            altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
            assert!(!opens(&one.secret_id, &String::from_utf8(altered).unwrap(), 1500), "{position}");
        }
        let another = house();
        assert!(another.open(&one.secret_id, &one.token, 1500).is_none(), "another house's");
    }

    #[test]
    fn a_policy_that_makes_the_token_too_long_is_refused() {
        let long = format!(
            r#"{{"version":"2.0","statement":{{"effect":"allow","action":"tcr:*","resource":"qcs::tcr:::{}"}}}}"#,
            "x".repeat(5000)
        );
        let policy = Some(Document::parse(&long).unwrap());
        assert!(matches!(house().issue(Grant { policy, ..grant() }), Err(IssueError::TooLong)));
    }
}
