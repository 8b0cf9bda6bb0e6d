//! What a product gets: a typed request and who sent it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rookery_policy::Document;
use serde::{Deserialize, Serialize};

use crate::permission::Circumstances;

/// A call of an action, checked and permitted.
#[derive(Debug)]
pub struct Call<R> {
    /// The parameters.
    pub request: R,
    /// Who calls.
    pub caller: Caller,
    /// The region whose data the call works with; empty for products without regions.
    pub region: String,
    /// The language of messages and display names.
    pub language: Language,
    /// The id that the reply carries.
    pub request_id: RequestId,
    /// Where the request came from, when, and how.
    pub circumstances: Circumstances,
}

/// Who calls: the account that owns the data, and the identity within it.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The account.
    pub account: Account,
    /// The identity.
    pub principal: Principal,
    /// The SecretId that signed; empty where nothing was signed.
    pub secret_id: String,
    /// What a temporary key adds; `None` for a permanent one.
    pub session: Option<Arc<Session>>,
}

impl Caller {
    /// The holder of a permanent key.
    #[must_use]
    pub fn new(account: Account, principal: Principal, secret_id: impl Into<String>) -> Self {
        Self { account, principal, secret_id: secret_id.into(), session: None }
    }

    /// Whoever calls one of the actions whose proof is an assertion and not a signature.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(Account { uin: 0, app_id: 0 }, Principal::Anonymous, "")
    }

    /// The number of the identity itself: the user's own for a sub-user, the account's for everyone else.
    #[must_use]
    pub fn uin(&self) -> u64 {
        match &self.principal {
            Principal::User { uin, .. } | Principal::Federated { uin, .. } => *uin,
            Principal::Root | Principal::Role { .. } | Principal::Anonymous => self.account.uin,
        }
    }

    /// Whether the account itself calls, with a permanent key or one that narrows nothing.
    #[must_use]
    pub fn is_root(&self) -> bool {
        matches!(self.principal, Principal::Root)
    }

    /// The name that `GetCallerIdentity` gives: `qcs::cam:<owner>:uin/<uin>`, `qcs::sts:<owner>:assumed-role/<role's id>`,
    /// `qcs::sts:<owner>:federated-user/<uin>`.
    #[must_use]
    pub fn arn(&self) -> String {
        let owner = self.account.uin;
        match &self.principal {
            Principal::Root | Principal::User { .. } => format!("qcs::cam:{owner}:uin/{}", self.uin()),
            Principal::Role { id, .. } => format!("qcs::sts:{owner}:assumed-role/{id}"),
            Principal::Federated { uin, .. } => format!("qcs::sts:{owner}:federated-user/{uin}"),
            Principal::Anonymous => "qcs::sts::anonymous".to_owned(),
        }
    }

    /// `UserId` of `GetCallerIdentity`: the number, `<role's id>:<session>`, `<uin>:<name>`.
    #[must_use]
    pub fn user_id(&self) -> String {
        match &self.principal {
            Principal::Role { id, session, .. } => format!("{id}:{session}"),
            Principal::Federated { uin, name } => format!("{uin}:{name}"),
            Principal::Root | Principal::User { .. } | Principal::Anonymous => self.uin().to_string(),
        }
    }
}

/// What a temporary key adds to the identity that it was given to.
#[derive(Debug, PartialEq)]
pub struct Session {
    /// When it was given, in UNIX seconds.
    pub issued_at: i64,
    /// When it ends, in UNIX seconds.
    pub expires_at: i64,
    /// What narrows the rights of the identity.
    pub policy: Option<Document>,
    /// The tags that the session was given.
    pub tags: Vec<(String, String)>,
    /// Who is behind the session, by the word of who asked for it.
    pub source_identity: Option<String>,
}

/// An account: everything that a customer owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// The account's number.
    pub uin: u64,
    /// Its application id, which names its buckets.
    pub app_id: u64,
}

/// The identity within an account that a key belongs to. Names are shared, because every request clones them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// The account itself, which may do everything in it.
    Root,
    /// A sub-user, who may do what policies say.
    User {
        /// The user's number.
        uin: u64,
        /// The user's name.
        name: Arc<str>,
    },
    /// Who assumed a role, and now may do what the role's policies say.
    Role {
        /// The role's id.
        id: Arc<str>,
        /// The role's name.
        name: Arc<str>,
        /// `RoleSessionName`.
        session: Arc<str>,
    },
    /// Who got a key from `GetFederationToken`: the rights of the identity that called it, narrowed by the policy given there.
    Federated {
        /// Whose rights.
        uin: u64,
        /// `Name`.
        name: Arc<str>,
    },
    /// Nobody: the actions whose proof is an assertion and not a signature.
    Anonymous,
}

/// `X-TC-Language`: the language of messages and display names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// `en-US`, also when nothing is said.
    #[default]
    English,
    /// `zh-CN`.
    Chinese,
}

impl Language {
    /// The language of that code; the platform knows only these two.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "en-US" => Some(Self::English),
            "zh-CN" => Some(Self::Chinese),
            _ => None,
        }
    }
}

/// What became of a request, for whoever counts or logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The id that the client was told.
    pub request_id: RequestId,
    /// The product, once it was found.
    pub product: Option<&'static str>,
    /// The action, as it was asked for.
    pub action: Option<Cow<'static, str>>,
    /// The identity whose signature verified.
    pub principal: Option<u64>,
    /// The error code; `None` for a success.
    pub code: Option<&'static str>,
    /// How long it took.
    pub took: Duration,
}

/// The id of a request: a lower-case UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub uuid::Uuid);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
