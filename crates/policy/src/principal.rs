//! Principals: whom a trust policy trusts, and who applies.

use crate::error::{Fault, SyntaxError};
use crate::json::Json;

/// Who wants to assume a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applicant<'a> {
    /// The root of an account.
    Root {
        /// The account.
        account: u64,
    },
    /// A sub-user.
    User {
        /// The account.
        account: u64,
        /// The user.
        uin: u64,
    },
    /// Who has assumed another role.
    Role {
        /// The account.
        account: u64,
        /// The role's id.
        id: &'a str,
        /// The role's name.
        name: &'a str,
    },
    /// A product: `cvm.qcloud.com`.
    Service(&'a str),
    /// Who brings an assertion of an identity provider: `qcs::cam::uin/<uin>:saml-provider/<name>`.
    Federated(&'a str),
}

/// A role by its id or its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleName {
    /// `role/<id>`.
    Id(String),
    /// `roleName/<name>`.
    Name(String),
}

/// Whom a statement speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// The account: its root, and whomever in it its own policies let.
    Account(u64),
    User {
        account: u64,
        uin: u64,
    },
    Role {
        account: u64,
        role: RoleName,
    },
    Service(Box<str>),
    Federated(Box<str>),
}

impl Principal {
    pub(crate) fn parse_all(value: &Json, at: &str) -> Result<Box<[Self]>, SyntaxError> {
        let Json::Object(kinds) = value else {
            let what = format!("must be an object, not {}", value.kind());
            return Err(SyntaxError::new(Fault::Principal, at, what));
        };
        let mut principals = Vec::new();
        for (kind, names) in kinds {
            let parse: fn(&str, &str) -> Result<Self, SyntaxError> = match kind.as_str() {
                "qcs" => Self::identity,
                "service" => Self::service,
                "federated" => Self::federated,
                _ => {
                    let what = format!("`{kind}` is none of qcs, service and federated");
                    return Err(SyntaxError::new(Fault::Principal, at, what));
                }
            };
            let names = match names {
                Json::List(names) => names.as_slice(),
                one => std::slice::from_ref(one),
            };
            for name in names {
                let Json::Text(name) = name else {
                    let what = format!("must be texts, not {}", name.kind());
                    return Err(SyntaxError::new(Fault::Principal, format!("{at}.{kind}"), what));
                };
                principals.push(parse(name, &format!("{at}.{kind}"))?);
            }
        }
        if principals.is_empty() {
            return Err(SyntaxError::new(Fault::Principal, at, "names nobody"));
        }
        Ok(principals.into())
    }

    /// `qcs::cam::uin/<account>:` and `root`, `uin/<user>`, `role/<id>` or `roleName/<name>`.
    fn identity(text: &str, at: &str) -> Result<Self, SyntaxError> {
        let parsed = || {
            let (account, who) = text.strip_prefix("qcs::cam::uin/")?.split_once(':')?;
            let account = account.parse().ok()?;
            if who == "root" {
                return Some(Self::Account(account));
            }
            let (kind, name) = who.split_once('/').filter(|(_, name)| !name.is_empty())?;
            match kind {
                "uin" => Some(Self::User { account, uin: name.parse().ok()? }),
                "role" => Some(Self::Role { account, role: RoleName::Id(name.to_owned()) }),
                "roleName" => Some(Self::Role { account, role: RoleName::Name(name.to_owned()) }),
                _ => None,
            }
        };
        parsed().ok_or_else(|| {
            let what = format!("`{text}` is no account, user or role, as `qcs::cam::uin/<number>:root` is");
            SyntaxError::new(Fault::PrincipalQcs, at, what)
        })
    }

    fn service(text: &str, at: &str) -> Result<Self, SyntaxError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if text.contains('.') && text.bytes().all(plain) {
            return Ok(Self::Service(text.into()));
        }
        Err(SyntaxError::new(
            Fault::PrincipalService,
            at,
            format!("`{text}` is no service, as `cvm.qcloud.com` is"),
        ))
    }

    fn federated(text: &str, at: &str) -> Result<Self, SyntaxError> {
        let is_provider = || {
            let (account, provider) = text.strip_prefix("qcs::cam::uin/")?.split_once(':')?;
            account.parse::<u64>().ok()?;
            let name = provider
                .strip_prefix("saml-provider/")
                .or_else(|| provider.strip_prefix("oidc-provider/"))?;
            (!name.is_empty()).then_some(())
        };
        if is_provider().is_some() {
            return Ok(Self::Federated(text.into()));
        }
        let what = format!("`{text}` is no provider, as `qcs::cam::uin/<number>:saml-provider/<name>` is");
        Err(SyntaxError::new(Fault::PrincipalQcs, at, what))
    }

    pub(crate) fn is(&self, applicant: &Applicant<'_>) -> bool {
        match (self, applicant) {
            (
                Self::Account(trusted),
                Applicant::Root { account }
                | Applicant::User { account, .. }
                | Applicant::Role { account, .. },
            ) => trusted == account,
            // A root is also the user of its own number.
            (Self::User { account, uin }, Applicant::Root { account: root }) => {
                account == root && uin == root
            }
            (Self::User { account, uin }, Applicant::User { account: theirs, uin: user }) => {
                account == theirs && uin == user
            }
            (Self::Role { account, role }, Applicant::Role { account: theirs, id, name }) => {
                account == theirs
                    && match role {
                        RoleName::Id(trusted) => trusted == id,
                        RoleName::Name(trusted) => trusted == name,
                    }
            }
            (Self::Service(trusted), Applicant::Service(service)) => **trusted == **service,
            (Self::Federated(trusted), Applicant::Federated(provider)) => **trusted == **provider,
            _ => false,
        }
    }
}
