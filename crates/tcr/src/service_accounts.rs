//! Service accounts: logins of an instance that belong to no person, with rights of their own in single namespaces (`tcr.md` §1.7).
//!
//! The user name is `tcr$<name>`. The password is shown once and kept as a slow hash. Charts have no repository of their own here (an OCI
//! chart is an image), so the two actions of charts are kept and shown and open nothing.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rookery_api::tcr::{ErrorCode, Permission, ServiceAccount};
use rookery_registry::{Actions, Subject, TokenKeyError};
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::error::{Error, Rule};
use crate::instances::Instance;
use crate::moments::Moment;
use crate::namespaces;

/// What user names begin with.
pub(crate) const PREFIX: &str = "tcr$";
/// Accounts of an instance. The platform's own number is not public.
pub(crate) const MOST: usize = 1000;
/// `ExpiresAt` of an account that has no end, and the `Duration` that asks for none, as in the platform's ancestor.
const NO_END: i64 = -1;
/// The longest `Duration`, in days: a century.
const LONGEST: i64 = 36_500;
/// Rounds of the hash: some hundredths of a second.
const ROUNDS: u32 = 100_000;
const RANDOM_LENGTH: usize = 32;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const NAME: Rule = Rule {
    english: "must have 2 to 100 lower-case letters, digits and single separators (. _ -) between them",
    chinese: "长度须为2-100个字符，只能包含小写字母、数字及分隔符（. _ -），分隔符不能位于首尾或连续出现",
};
const DURATION: Rule = Rule {
    english: "must be 1 to 36500 days, or -1 for no end",
    chinese: "须为1-36500天，或-1表示永久有效",
};
const EXPIRES: Rule = Rule { english: "must be a time in the future", chinese: "须为将来的时间" };
const PERMISSIONS: Rule = Rule { english: "must not be empty", chinese: "不能为空" };
const ACTIONS: Rule = Rule {
    english: "must hold actions among tcr:PushRepository, tcr:PullRepository, tcr:CreateRepository, tcr:CreateHelmChart and tcr:DescribeHelmCharts",
    chinese: "取值须为tcr:PushRepository、tcr:PullRepository、tcr:CreateRepository、tcr:CreateHelmChart或tcr:DescribeHelmCharts",
};
const RESOURCE: Rule =
    Rule { english: "must be a namespace of the instance", chinese: "须为实例中的命名空间" };
const PASSWORD: Rule = Rule {
    english: "must have 8 to 20 characters, among them an upper-case letter, a lower-case letter and a digit",
    chinese: "长度须为8-20个字符，且至少包含一个大写字母、一个小写字母和一个数字",
};

const PUSH: &str = "tcr:PushRepository";
const PULL: &str = "tcr:PullRepository";
const CREATE: &str = "tcr:CreateRepository";
const KNOWN: [&str; 5] = [PUSH, PULL, CREATE, "tcr:CreateHelmChart", "tcr:DescribeHelmCharts"];

/// The attribute of a [`Subject`] that names the instance whose account it is.
pub(crate) const INSTANCE: &str = "instance";
/// The attribute that names the account, without the prefix.
pub(crate) const ACCOUNT: &str = "account";

/// The accounts, by instance and name without the prefix.
pub(crate) struct ServiceAccounts;

/// What is kept of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountRow {
    pub(crate) description: String,
    pub(crate) disabled: bool,
    /// `None` for no end.
    pub(crate) expires_at: Option<Moment>,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    /// The actions in each namespace.
    pub(crate) permissions: BTreeMap<String, Vec<String>>,
    pub(crate) password: PasswordHash,
}

impl Table for ServiceAccounts {
    const NAME: &'static str = "tcr.service-accounts";
    type Scope = Regional;
    type Key = (String, String);
    type Row = AccountRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ByAccountName];
}

/// Finds the account where the address does not tell the instance.
pub(crate) struct ByAccountName;

impl Index for ByAccountName {
    type Table = ServiceAccounts;
    type Value = String;
    const NAME: &'static str = "name";
    const UNIQUE: bool = false;

    fn value(_: &Regional, (_, name): &(String, String), _: &AccountRow) -> Option<String> {
        Some(name.clone())
    }
}

/// A password as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasswordHash {
    salt: String,
    hash: String,
    rounds: u32,
}

impl PasswordHash {
    /// Takes its time.
    pub(crate) fn of(password: &str) -> Result<Self, Error> {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| TokenKeyError)?;
        let mut hash = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds(ROUNDS), &salt, password.as_bytes(), &mut hash);
        Ok(Self { salt: STANDARD.encode(salt), hash: STANDARD.encode(hash), rounds: ROUNDS })
    }

    /// Takes its time.
    pub(crate) fn is_of(&self, password: &str) -> bool {
        let (Ok(salt), Ok(hash)) = (STANDARD.decode(&self.salt), STANDARD.decode(&self.hash)) else {
            return false;
        };
        let rounds = rounds(self.rounds);
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &hash).is_ok()
    }

    /// Tells the same password again at once; it is not to be kept anywhere but in memory.
    pub(crate) fn proof(&self, password: &str) -> [u8; 32] {
        let mut proof = [0; 32];
        let bytes = digest(&SHA256, format!("{}:{}:{password}", self.salt, self.hash).as_bytes());
        proof.copy_from_slice(bytes.as_ref());
        proof
    }
}

fn rounds(rounds: u32) -> NonZeroU32 {
    NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN)
}

/// 32 letters and digits.
pub(crate) fn random_password() -> Result<String, Error> {
    let mut password = String::with_capacity(RANDOM_LENGTH);
    let mut bytes = [0; RANDOM_LENGTH];
    while password.len() < RANDOM_LENGTH {
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| TokenKeyError)?;
        // Six bits each; the two values without a character are drawn again, so that every character is as likely.
        let drawn = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 0x3f)));
        password.extend(drawn.take(RANDOM_LENGTH - password.len()).map(|byte| char::from(*byte)));
    }
    Ok(password)
}

/// Refuses a password that is too weak.
pub(crate) fn check_password(password: &str) -> Result<(), Error> {
    let has = |test: fn(&u8) -> bool| password.bytes().any(|byte| test(&byte));
    let good = (8..=20).contains(&password.chars().count())
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit);
    let code = ErrorCode::InvalidParameter;
    if good { Ok(()) } else { Err(Error::Invalid { parameter: "Password", rule: PASSWORD, code }) }
}

/// The name without the prefix, with which and without which requests name an account.
pub(crate) fn bare(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// The name of a new account.
pub(crate) fn read_name(name: &str) -> Result<String, Error> {
    let bare = bare(name);
    let good = (2..=100).contains(&bare.len()) && crate::names::is_component(bare);
    let code = ErrorCode::InvalidParameter;
    if good { Ok(bare.to_owned()) } else { Err(Error::Invalid { parameter: "Name", rule: NAME, code }) }
}

/// The end of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Never,
    At(Moment),
}

impl End {
    /// As rows keep it.
    pub(crate) fn moment(self) -> Option<Moment> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
        }
    }
}

/// The end that a request asks for: `Duration` in days before `ExpiresAt` in milliseconds. `None` where it says neither.
pub(crate) fn read_end(
    duration: Option<i64>,
    expires_at: Option<i64>,
    now: Moment,
) -> Result<Option<End>, Error> {
    let invalid = |parameter, rule| Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter };
    match (duration, expires_at) {
        (Some(NO_END), _) | (None, Some(NO_END)) => Ok(Some(End::Never)),
        (Some(days), _) if (1..=LONGEST).contains(&days) => Ok(Some(End::At(now.plus(Duration::days(days))))),
        (Some(_), _) => Err(invalid("Duration", DURATION)),
        (None, Some(milliseconds)) => {
            let at = Moment::from_milliseconds(milliseconds);
            if now < at { Ok(Some(End::At(at))) } else { Err(invalid("ExpiresAt", EXPIRES)) }
        }
        (None, None) => Ok(None),
    }
}

/// The permissions of a request. Each names a namespace that is there.
pub(crate) fn read_permissions(
    read: &impl Read,
    instance: &Instance,
    permissions: &[Permission],
) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let invalid = |parameter, rule| Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter };
    if permissions.is_empty() {
        return Err(invalid("Permissions", PERMISSIONS));
    }
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Permission { resource, actions } in permissions {
        if namespaces::find(read, instance, resource)?.is_none() {
            return Err(invalid("Permissions.Resource", RESOURCE));
        }
        if actions.is_empty() || actions.iter().any(|action| !KNOWN.contains(&action.as_str())) {
            return Err(invalid("Permissions.Actions", ACTIONS));
        }
        let held = found.entry(resource.clone()).or_default();
        for action in actions {
            if !held.contains(action) {
                held.push(action.clone());
            }
        }
    }
    Ok(found)
}

impl AccountRow {
    /// The account as replies show it; its permissions only where they are asked for.
    pub(crate) fn describe(&self, name: &str, embed_permissions: bool) -> ServiceAccount {
        let permissions = self.permissions.iter().filter(|_| embed_permissions);
        ServiceAccount {
            name: format!("{PREFIX}{name}"),
            description: self.description.clone(),
            disable: self.disabled,
            expires_at: self.expires_at(),
            create_time: self.created_at.beijing(),
            update_time: self.updated_at.beijing(),
            permissions: permissions
                .map(|(resource, actions)| Permission {
                    resource: resource.clone(),
                    actions: actions.clone(),
                })
                .collect(),
        }
    }

    /// `ExpiresAt`.
    pub(crate) fn expires_at(&self) -> i64 {
        self.expires_at.map_or(NO_END, Moment::milliseconds)
    }

    pub(crate) fn is_good(&self, now: Moment) -> bool {
        !self.disabled && self.expires_at.is_none_or(|end| now < end)
    }

    /// What the account may do with the repositories of a namespace. Who may push may also look at what is there.
    pub(crate) fn actions(&self, namespace: &str) -> Actions {
        let held = |action: &str| self.may(namespace, action);
        let push = if held(PUSH) { Actions::PUSH | Actions::PULL } else { Actions::NONE };
        let pull = if held(PULL) { Actions::PULL } else { Actions::NONE };
        push | pull
    }

    /// Whether the first push of a repository may make it.
    pub(crate) fn may_create(&self, namespace: &str) -> bool {
        self.may(namespace, CREATE)
    }

    fn may(&self, namespace: &str, action: &str) -> bool {
        self.permissions.get(namespace).is_some_and(|held| held.iter().any(|known| known == action))
    }
}

/// The account that a login of the registry is of, with its instance; `None` for a login by token.
pub(crate) fn of_subject(subject: &Subject) -> Option<(&str, &str)> {
    Some((subject.attributes.get(INSTANCE)?, subject.attributes.get(ACCOUNT)?))
}

/// Who logs in as this account.
pub(crate) fn subject(instance: &str, name: &str) -> Subject {
    let attributes =
        [(INSTANCE, instance), (ACCOUNT, name)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    Subject { id: format!("{PREFIX}{name}"), attributes: attributes.into() }
}

/// The accounts of that name: of the instance, or of all where the address tells none.
pub(crate) fn candidates(
    read: &impl Read,
    instance: Option<&str>,
    name: &str,
) -> Result<Vec<(String, AccountRow)>, StoreError> {
    let rows = read.find_all::<ByAccountName>(name, usize::MAX)?;
    let wanted = |id: &str| instance.is_none_or(|instance| instance == id);
    Ok(rows.into_iter().filter(|(_, (id, _), _)| wanted(id)).map(|(_, (id, _), row)| (id, row)).collect())
}

/// The account of that name, with or without the prefix.
pub(crate) fn existing(read: &impl Read, instance: &Instance, name: &str) -> Result<AccountRow, Error> {
    read.get::<ServiceAccounts>(&instance.scope, &(instance.id.as_str(), bare(name)))?
        .ok_or_else(|| Error::NoServiceAccount(name.to_owned()))
}

/// The accounts of an instance, the oldest first.
pub(crate) fn list(read: &impl Read, instance: &Instance) -> Result<Vec<(String, AccountRow)>, StoreError> {
    let rows = read.scan::<ServiceAccounts>(&instance.scope, Scan::all().prefix(instance.id.as_str()))?;
    let mut rows: Vec<_> = rows.into_iter().map(|((_, name), row)| (name, row)).collect();
    rows.sort_by(|(one_name, one), (other_name, other)| {
        (one.created_at, one_name).cmp(&(other.created_at, other_name))
    });
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_told_apart() {
        let hash = PasswordHash::of("Secret123").unwrap();
        assert!(hash.is_of("Secret123") && !hash.is_of("Secret124") && !hash.is_of(""));
        assert_eq!(hash.proof("Secret123"), hash.proof("Secret123"));
        assert_ne!(hash.proof("Secret123"), hash.proof("Secret124"));
        assert_ne!(PasswordHash::of("Secret123").unwrap(), hash);
    }

    #[test]
    fn random_passwords_are_32_letters_and_digits() {
        let password = random_password().unwrap();
        assert!(password.len() == 32 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(random_password().unwrap(), password);
    }

    #[test]
    fn weak_passwords_are_refused() {
        for good in ["Secret12", "aA345678901234567890"] {
            assert!(check_password(good).is_ok(), "{good}");
        }
        for weak in ["", "Secre12", "secret12", "SECRET12", "Secretly", "aA3456789012345678901"] {
            assert!(check_password(weak).is_err(), "{weak}");
        }
    }

    #[test]
    fn ends_are_days_or_moments() {
        let now = Moment::from_milliseconds(1_000_000);
        assert_eq!(read_end(Some(1), Some(1), now).unwrap(), Some(End::At(now.plus(Duration::DAY))));
        assert_eq!(
            read_end(None, Some(1_000_001), now).unwrap(),
            Some(End::At(Moment::from_milliseconds(1_000_001)))
        );
        assert_eq!(read_end(Some(-1), None, now).unwrap(), Some(End::Never));
        assert_eq!(read_end(None, None, now).unwrap(), None);
        for (duration, expires_at) in
            [(Some(0), None), (Some(36_501), None), (None, Some(1_000_000)), (None, Some(0))]
        {
            assert!(read_end(duration, expires_at, now).is_err(), "{duration:?} {expires_at:?}");
        }
    }
}
