//! What a product gets: a typed request and who sent it.

use std::fmt;

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
}

/// Who calls: the account that owns the data, and the identity within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: Account,
    /// The identity.
    pub principal: Principal,
    /// The SecretId that signed.
    pub secret_id: String,
}

impl Caller {
    /// The number of the identity itself: the account's for its root, the user's own for a sub-user.
    #[must_use]
    pub fn uin(&self) -> u64 {
        match self.principal {
            Principal::Root => self.account.uin,
        }
    }
}

/// An account: everything that a customer owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// The account's number.
    pub uin: u64,
    /// Its application id, which names its buckets.
    pub app_id: u64,
}

/// The identity within an account that a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The account itself, which may do everything in it.
    Root,
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

/// What became of a request, in the extensions of its reply: for whoever counts or logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The id that the client was told.
    pub request_id: RequestId,
    /// The product, once it was found.
    pub product: Option<&'static str>,
    /// The action, as it was asked for.
    pub action: Option<String>,
    /// The identity whose signature verified.
    pub principal: Option<u64>,
    /// The error code; `None` for a success.
    pub code: Option<&'static str>,
}

/// The id of a request: a lower-case UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub uuid::Uuid);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
