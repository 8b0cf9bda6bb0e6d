//! Settings of an account: what passwords must be, which proofs are asked for, from where users may log in.

use rookery_store::{Global, Read, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::cam::error::Error;

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
    /// Each character stands for its kind (capital, small letter, digit, other), of which a password must have one.
    pub(crate) must_contain: String,
    /// After how many days a password has to be changed; 0 never.
    pub(crate) force_change_days: u64,
    /// How many former passwords may not be used again.
    pub(crate) reuse_limit: u64,
    /// How many wrong passwords lock a user out.
    pub(crate) retry_limit: u64,
    /// Whether a user whose password has expired is locked out, instead of being asked for another.
    pub(crate) expired_locks_out: bool,
    pub(crate) updated_at: i64,
    /// Who changed them.
    pub(crate) modifier: u64,
}

impl Default for PasswordRulesRow {
    /// What the platform asks for where nothing is set: eight characters of all four kinds.
    fn default() -> Self {
        Self {
            minimum_length: SHORTEST,
            must_contain: "Aa0_".to_owned(),
            force_change_days: 0,
            reuse_limit: 0,
            retry_limit: 0,
            expired_locks_out: false,
            updated_at: 0,
            modifier: 0,
        }
    }
}

/// The shortest password that rules may allow.
pub(crate) const SHORTEST: u64 = 8;
/// The longest password, and the most that rules may ask for.
pub(crate) const LONGEST: u64 = 32;

/// The kinds of characters that rules can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Capital,
    Small,
    Digit,
    Other,
}

impl Kind {
    fn of(character: char) -> Self {
        match character {
            'A'..='Z' => Self::Capital,
            'a'..='z' => Self::Small,
            '0'..='9' => Self::Digit,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Capital => "a capital letter",
            Self::Small => "a small letter",
            Self::Digit => "a digit",
            Self::Other => "a special character",
        }
    }
}

impl PasswordRulesRow {
    /// The rules of an account.
    pub(crate) fn read(rows: &impl Read, account: u64) -> Result<Self, StoreError> {
        Ok(rows.get::<PasswordRules>(&Global, &account)?.unwrap_or_default())
    }

    /// Whether a password obeys them, apart from the passwords that the user has had.
    pub(crate) fn check(&self, password: &str) -> Result<(), Error> {
        let violated = |rule: String| Err(Error::PasswordViolatesRules { rule });
        let length = password.chars().count() as u64;
        let shortest = self.minimum_length.max(SHORTEST);
        if !(shortest..=LONGEST).contains(&length) {
            return violated(format!("it must have {shortest} to {LONGEST} characters"));
        }
        if password.chars().any(|character| character.is_control() || character.is_whitespace()) {
            return violated("it must have no blank and no control character".to_owned());
        }
        let missing = self
            .must_contain
            .chars()
            .map(Kind::of)
            .find(|kind| !password.chars().any(|character| Kind::of(character) == *kind));
        missing.map_or(Ok(()), |kind| violated(format!("it must have {}", kind.name())))
    }
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoginIpPolicyRow {
    /// Addresses or networks, and whether each is allowed (else denied).
    pub(crate) networks: Vec<(String, bool)>,
    pub(crate) enabled: bool,
    /// Whether a log-in from an unusual place asks for another proof.
    pub(crate) offsite_check: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_the_length_and_the_kinds_that_the_rules_ask_for() {
        let rules = PasswordRulesRow::default();
        assert!(rules.check("Passw0rd!").is_ok());
        for password in
            ["Pw0!", "passw0rd!", "PASSW0RD!", "Password!", "Passw0rds", "Passw 0rd!", &"aA0!".repeat(9)]
        {
            assert!(matches!(rules.check(password), Err(Error::PasswordViolatesRules { .. })), "{password}");
        }
        let longer = PasswordRulesRow { minimum_length: 12, must_contain: String::new(), ..rules };
        assert!(longer.check("aaaaaaaaaaa").is_err());
        assert!(longer.check("aaaaaaaaaaaa").is_ok());
    }
}
