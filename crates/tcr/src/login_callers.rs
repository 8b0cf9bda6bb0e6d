//! Who is behind a login token: what `CreateInstanceToken` writes down of its caller, so that the registry asks the same permissions of
//! `docker pull` and `docker push` as the API would of the caller.

use std::sync::Arc;

use rookery_gateway::{Account, Caller, Principal, Session};
use serde::{Deserialize, Serialize};

/// A caller, as it travels in a token's claims. Roots and users with permanent keys need none: the claims of the platform's own form
/// say enough of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoginCaller {
    principal: Principal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<LoginSession>,
}

/// What a temporary key added to the caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginSession {
    issued_at: i64,
    expires_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

impl LoginCaller {
    pub(crate) fn of(caller: &Caller) -> Option<Self> {
        if caller.session.is_none() && matches!(caller.principal, Principal::Root | Principal::User { .. }) {
            return None;
        }
        let session = caller.session.as_deref().map(|session| LoginSession {
            issued_at: session.issued_at,
            expires_at: session.expires_at,
            policy: session.policy.as_ref().map(|policy| policy.text().to_owned()),
            tags: session.tags.clone(),
            source_identity: session.source_identity.clone(),
        });
        Some(Self { principal: caller.principal.clone(), session })
    }

    /// The root or the user of a number.
    pub(crate) fn of_number(operator: u64, owner: u64) -> Self {
        let principal = if operator == owner {
            Principal::Root
        } else {
            Principal::User { uin: operator, name: "".into() }
        };
        Self { principal, session: None }
    }

    /// The caller in the account `owner`. The application id is the identity's to know. `None` where its policy cannot be read, which must not widen what it may.
    pub(crate) fn into_caller(self, owner: u64) -> Option<Caller> {
        let mut caller = Caller::new(Account { uin: owner, app_id: 0 }, self.principal, "");
        if let Some(session) = self.session {
            let policy = match &session.policy {
                Some(text) => Some(rookery_policy::Document::parse(text).ok()?),
                None => None,
            };
            caller.session = Some(Arc::new(Session {
                issued_at: session.issued_at,
                expires_at: session.expires_at,
                policy,
                tags: session.tags,
                source_identity: session.source_identity,
            }));
        }
        Some(caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_comes_back_as_it_went() {
        let policy =
            r#"{"version":"2.0","statement":{"effect":"allow","action":"tcr:Pull*","resource":"*"}}"#;
        let session = Session {
            issued_at: 1,
            expires_at: 2,
            policy: Some(rookery_policy::Document::parse(policy).unwrap()),
            tags: vec![("k".to_owned(), "v".to_owned())],
            source_identity: Some("alice".to_owned()),
        };
        let account = Account { uin: 7, app_id: 0 };
        let role = Principal::Role { id: "1".into(), name: "r".into(), session: "s".into() };
        for (principal, session) in [(role.clone(), None), (role, Some(Arc::new(session)))] {
            let caller = Caller { account, principal, secret_id: String::new(), session };
            let text = serde_json::to_string(&LoginCaller::of(&caller).unwrap()).unwrap();
            let back: LoginCaller = serde_json::from_str(&text).unwrap();
            assert_eq!(back.into_caller(7), Some(caller), "{text}");
        }
        for principal in [Principal::Root, Principal::User { uin: 9, name: "".into() }] {
            let caller = Caller::new(account, principal, "");
            assert!(LoginCaller::of(&caller).is_none());
            assert_eq!(LoginCaller::of_number(caller.uin(), 7).into_caller(7), Some(caller));
        }
        let broken: LoginCaller = serde_json::from_str(
            r#"{"principal":"root","session":{"issuedAt":1,"expiresAt":2,"policy":"{}"}}"#,
        )
        .unwrap();
        assert_eq!(broken.into_caller(7), None);
    }
}
