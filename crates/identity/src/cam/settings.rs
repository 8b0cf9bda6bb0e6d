//! Settings of an account: what passwords must be, which proofs are asked for, from where users may log in.

use rookery_store::{Global, Table};
use serde::{Deserialize, Serialize};

/// The password rules of an account, by the account's number.
pub(crate) struct PasswordRules;

impl Table for PasswordRules {
    const NAME: &'static str = "cam.password-rules";
    type Scope = Global;
    type Key = u64;
    type Row = PasswordRulesRow;
}

/// Password rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasswordRulesRow {
    pub(crate) minimum_length: u64,
    /// Which kinds of characters: some of `lower`, `upper`, `number`, `symbol`.
    pub(crate) must_contain: Vec<String>,
    /// After how many days a password has to be changed; 0 never.
    pub(crate) force_change_days: u64,
    /// How many former passwords may not be used again.
    pub(crate) reuse_limit: u64,
    /// How many wrong passwords lock a user out.
    pub(crate) retry_limit: u64,
    /// Whether a user whose password has expired may still change it.
    pub(crate) expiration_invalidation: u64,
    pub(crate) updated_at: i64,
    /// Who changed them.
    pub(crate) modifier: u64,
}

/// Which proofs are asked for beside the password, or for a sensitive operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proofs {
    pub(crate) phone: bool,
    pub(crate) stoken: bool,
    pub(crate) wechat: bool,
}

/// The proofs of one identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MfaFlags {
    pub(crate) login: Proofs,
    pub(crate) action: Proofs,
}

/// The proofs of a root, by the account's number; those of a sub-user are in its row.
pub(crate) struct RootMfa;

impl Table for RootMfa {
    const NAME: &'static str = "cam.root-mfa";
    type Scope = Global;
    type Key = u64;
    type Row = MfaFlags;
}

/// From where sub-users may log in to the console, by the account's number.
pub(crate) struct LoginIpPolicies;

impl Table for LoginIpPolicies {
    const NAME: &'static str = "cam.login-ip-policies";
    type Scope = Global;
    type Key = u64;
    type Row = LoginIpPolicyRow;
}

/// A log-in policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoginIpPolicyRow {
    /// Addresses or networks, and whether each is allowed (else denied).
    pub(crate) networks: Vec<(String, bool)>,
    pub(crate) enabled: bool,
}
