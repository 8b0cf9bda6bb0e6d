//! Accounts of an instance: what is kept beside the server's own users, and what a name, a host and a password may be.

use rookery_api::mariadb::ErrorCode;
use rookery_store::{Global, Read, Scan, Starting, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::moments::Moment;
use crate::replication::REPLICA;
use crate::sql::{self, Connection};

/// The accounts of every instance, by `<instance>/<user>@<host>`.
pub(crate) struct Accounts;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountRow {
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) description: String,
    /// 0 writes; 1 to 3 read, and where is [`crate::porter`]'s.
    pub(crate) read_only: i64,
    /// Seconds that a standby may be behind; 0 for those that are usual.
    #[serde(default)]
    pub(crate) delay: i64,
    /// Whether its connections end with the fitness of their standby.
    #[serde(default)]
    pub(crate) fixed: bool,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
}

impl Table for Accounts {
    const NAME: &'static str = "mariadb.accounts";
    type Scope = Global;
    type Key = String;
    type Row = AccountRow;
}

const DESCRIPTION: usize = 256;
const MARKS: &str = "()~!@#$%^&*-+=_|{}[]:<>,.?/";

/// A user on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) user: String,
    pub(crate) host: String,
}

impl Name {
    /// As requests name it. No host is every host.
    pub(crate) fn of(user: &str, host: &str) -> Self {
        let host = if host.is_empty() { "%" } else { host };
        Self { user: user.to_owned(), host: host.to_owned() }
    }

    /// As requests name one that is to be made.
    pub(crate) fn new(user: &str, host: &str, own: &str) -> Result<Self, Error> {
        let first = user.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
        let rest =
            user.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'));
        if !first || !rest || user.len() > 32 {
            return Err(character_error(
                "`UserName` must be 1 to 32 letters, digits, `_` and `-`, the first a letter",
            ));
        }
        if is_reserved(user, own) {
            return Err(Error::refuse(
                ErrorCode::InvalidParameterValueSuperUserForbidden,
                format!("The user name `{user}` is the server's own."),
                format!("用户名 `{user}` 为系统保留。"),
            ));
        }
        let name = Self::of(user, host);
        let fits = |character: char| character.is_ascii_alphanumeric() || "%_.:/-".contains(character);
        if name.host.len() > 60 || !name.host.chars().all(fits) {
            return Err(character_error(
                "`Host` must be an address, a name or a pattern of at most 60 characters",
            ));
        }
        Ok(name)
    }

    pub(crate) fn key(&self, instance: &str) -> String {
        format!("{instance}/{}@{}", self.user, self.host)
    }

    /// As statements name it.
    pub(crate) fn sql(&self) -> String {
        sql::account(&self.user, &self.host)
    }

    pub(crate) fn unknown(&self) -> Error {
        let Self { user, host } = self;
        Error::refuse(
            ErrorCode::ResourceNotFoundAccountDoesNotExist,
            format!("The account `{user}`@`{host}` does not exist."),
            format!("账号 `{user}`@`{host}` 不存在。"),
        )
    }

    pub(crate) fn taken(&self) -> Error {
        let Self { user, host } = self;
        Error::refuse(
            ErrorCode::InvalidParameterValueAccountAlreadyExists,
            format!("The account `{user}`@`{host}` exists already."),
            format!("账号 `{user}`@`{host}` 已存在。"),
        )
    }
}

/// Whether a name is the server's own, or that of who runs it.
pub(crate) fn is_reserved(user: &str, own: &str) -> bool {
    [own, "root", "mysql", "mariadb", "mariadb.sys", "PUBLIC", REPLICA]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(user))
}

fn character_error(rule: &str) -> Error {
    Error::refuse(
        ErrorCode::InvalidParameterCharacterError,
        format!("The parameter {rule}."),
        format!("参数不合法：{rule}。"),
    )
}

/// The password of a request.
pub(crate) fn password(plain: Option<&str>, encrypted: Option<&str>) -> Result<String, Error> {
    if encrypted.is_some_and(|text| !text.is_empty()) {
        // Its key would come from an action that is in no version of this contract.
        return Err(Error::unsupported("encrypted passwords (`EncryptedPassword`)"));
    }
    let plain = plain.unwrap_or_default();
    let kinds = [
        plain.chars().any(|character| character.is_ascii_alphabetic()),
        plain.chars().any(|character| character.is_ascii_digit()),
        plain.chars().any(|character| MARKS.contains(character)),
    ];
    let known = |character: char| character.is_ascii_alphanumeric() || MARKS.contains(character);
    let fits = (8..=32).contains(&plain.len())
        && !plain.starts_with('/')
        && plain.chars().all(known)
        && kinds.iter().filter(|present| **present).count() >= 2;
    if fits {
        return Ok(plain.to_owned());
    }
    Err(character_error(
        "`Password` must have 8 to 32 characters of at least two of the kinds letters, digits and ()~!@#$%^&*-+=_|{}[]:<>,.?/, and not begin with `/`",
    ))
}

pub(crate) fn description(text: Option<&str>) -> Result<String, Error> {
    let text = text.unwrap_or_default();
    if text.chars().count() > DESCRIPTION {
        return Err(Error::invalid("Description", "must have at most 256 characters"));
    }
    Ok(text.to_owned())
}

pub(crate) fn find(read: &impl Read, instance: &str, name: &Name) -> Result<Option<AccountRow>, Error> {
    Ok(read.get::<Accounts>(&Global, &name.key(instance))?)
}

pub(crate) fn existing(read: &impl Read, instance: &str, name: &Name) -> Result<AccountRow, Error> {
    find(read, instance, name)?.ok_or_else(|| name.unknown())
}

pub(crate) fn list(read: &impl Read, instance: &str) -> Result<Vec<AccountRow>, Error> {
    let rows = read.scan::<Accounts>(&Global, Scan::all().prefix(&Starting(&format!("{instance}/"))))?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

pub(crate) fn put(tx: &mut Transaction<'_>, instance: &str, row: &AccountRow) -> Result<(), Error> {
    Ok(tx.put::<Accounts>(&Global, &Name::of(&row.user, &row.host).key(instance), row)?)
}

pub(crate) fn delete(tx: &mut Transaction<'_>, instance: &str, name: &Name) -> Result<(), Error> {
    tx.delete::<Accounts>(&Global, &name.key(instance))?;
    Ok(())
}

/// Forgets the accounts of an instance that is gone.
pub(crate) fn forget_instance(tx: &mut Transaction<'_>, instance: &str) -> Result<(), Error> {
    for row in list(tx, instance)? {
        tx.delete::<Accounts>(&Global, &Name::of(&row.user, &row.host).key(instance))?;
    }
    Ok(())
}

/// Gives `to` every right of `from`, and takes away what else it had. Both exist.
pub(crate) async fn copy_rights(server: &mut Connection, from: &Name, to: &Name) -> Result<(), Error> {
    let grants = server.query(&format!("SHOW GRANTS FOR {}", from.sql())).await?.into_texts();
    server.run(&format!("REVOKE ALL PRIVILEGES, GRANT OPTION FROM {}", to.sql())).await?;
    let whom = format!(" TO {}@{}", sql::name(&from.user), sql::name(&from.host));
    for grant in grants {
        // What follows the name is the password's hash and limits, which are no rights.
        let Some(at) = grant.rfind(&whom) else {
            return Err(Error::Inconsistent("a grant names somebody else"));
        };
        let what = grant.get(..at).unwrap_or_default();
        server.run(&format!("{what} TO {}", to.sql())).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rookery_api::ErrorCode as _;
    use rookery_gateway::Refusal as _;

    use super::*;

    #[test]
    fn names_passwords_and_descriptions_have_their_form() {
        assert_eq!(Name::new("app-1", "", "alice").unwrap(), Name::of("app-1", "%"));
        for (user, host, code) in [
            ("1app", "%", ErrorCode::InvalidParameterCharacterError),
            ("", "%", ErrorCode::InvalidParameterCharacterError),
            ("a b", "%", ErrorCode::InvalidParameterCharacterError),
            ("app", "'", ErrorCode::InvalidParameterCharacterError),
            ("Root", "%", ErrorCode::InvalidParameterValueSuperUserForbidden),
            ("alice", "%", ErrorCode::InvalidParameterValueSuperUserForbidden),
            (REPLICA, "%", ErrorCode::InvalidParameterValueSuperUserForbidden),
        ] {
            assert_eq!(
                Name::new(user, host, "alice").unwrap_err().code().name(),
                code.name(),
                "{user} {host}"
            );
        }
        assert!(password(Some("Secret-123"), None).is_ok());
        for bad in ["short1", "onlyletters", "/Secret-123", "with space 1", &"a1".repeat(17)] {
            assert!(password(Some(bad), None).is_err(), "{bad}");
        }
        assert!(password(None, None).is_err() && password(None, Some("c2VjcmV0")).is_err());
        assert!(description(Some(&"文".repeat(256))).is_ok() && description(Some(&"x".repeat(257))).is_err());
    }
}
