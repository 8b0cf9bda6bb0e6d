//! Login tokens: what `CreateInstanceToken` issues and `docker login` takes as the password (`tcr.md` §1.6).
//!
//! A temporary token is nothing but its signature and its expiry, so it cannot be taken back. A long-term token has a row as well,
//! and is good only while the row is there and enabled.

use std::collections::BTreeMap;

use rookery_api::tcr::TcrInstanceToken;
use rookery_gateway::Caller;
use rookery_registry::Subject;
use rookery_store::{Read, Regional, Scan, StoreError, Table};
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::error::Error;
use crate::instance_keys;
use crate::instances::{Instance, TOKEN_HOURS};
use crate::login_callers::LoginCaller;
use crate::moments::Moment;

/// How long a temporary token is good for.
pub(crate) const TEMPORARY: Duration = Duration::HOUR;
/// How long a long-term token is good for.
pub(crate) const LONG_TERM: Duration = Duration::hours(TOKEN_HOURS as i64);

/// Characters of a token's id, which has the form of an xid.
pub(crate) const ID_ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
/// Length of a token's id.
pub(crate) const ID_LENGTH: usize = 20;

/// The attribute of a [`Subject`] that names the instance whose token it came with.
const INSTANCE: &str = "instance";
/// The attribute that names the token; temporary tokens have none.
const TOKEN: &str = "token";
/// The attribute that says until when the token is good, in UNIX seconds.
const EXPIRES: &str = "expires";
/// The attribute that says who made the token: a [`LoginCaller`] as JSON.
const CALLER: &str = "caller";

/// Long-term tokens, by instance and id.
pub(crate) struct Tokens;

/// What is kept of a long-term token; its text is not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TokenRow {
    pub(crate) description: String,
    pub(crate) enabled: bool,
    pub(crate) created_at: Moment,
    pub(crate) expires_at: Moment,
    /// Who may log in with it.
    pub(crate) operator: u64,
}

impl Table for Tokens {
    const NAME: &'static str = "tcr.tokens";
    type Scope = Regional;
    type Key = (String, String);
    type Row = TokenRow;
}

impl TokenRow {
    /// The token as replies show it.
    pub(crate) fn describe(&self, instance: &str, id: String) -> TcrInstanceToken {
        TcrInstanceToken {
            id,
            desc: self.description.clone(),
            registry_id: instance.to_owned(),
            enabled: self.enabled,
            created_at: self.created_at.beijing(),
            expired_at: self.expires_at.milliseconds(),
        }
    }
}

/// The claims of a token, in the order of the platform's own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claims {
    pub(crate) owner_uin: String,
    pub(crate) operator_uin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<String>,
    /// Who made the token, and whose rights it has, where the numbers do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) caller: Option<LoginCaller>,
    pub(crate) exp: i64,
    pub(crate) nbf: i64,
    pub(crate) iat: i64,
}

/// The long-term tokens of an instance, the oldest first.
pub(crate) fn list(read: &impl Read, instance: &Instance) -> Result<Vec<(String, TokenRow)>, StoreError> {
    let rows = read.scan::<Tokens>(&instance.scope, Scan::all().prefix(instance.id.as_str()))?;
    let mut tokens: Vec<(String, TokenRow)> = rows.into_iter().map(|((_, id), row)| (id, row)).collect();
    tokens.sort_by(|(one_id, one), (other_id, other)| {
        (one.created_at, one_id).cmp(&(other.created_at, other_id))
    });
    Ok(tokens)
}

/// Who logs in with this user name and token at `now`; with `registry`, only with a token of that instance. `None` for a login
/// that is good for nothing.
pub(crate) fn log_in(
    read: &impl Read,
    registry: Option<&str>,
    username: &str,
    token: &str,
    now: Moment,
) -> Result<Option<Subject>, Error> {
    let Some((scope, id, claims)) = instance_keys::verify::<Claims>(read, token)? else { return Ok(None) };
    let addressed = registry.is_none_or(|registry| registry == id);
    let timely = claims.nbf <= now.seconds() && now.seconds() < claims.exp;
    if !addressed || !timely || claims.operator_uin != username || claims.owner_uin != scope.uin.to_string() {
        return Ok(None);
    }
    if let Some(token) = &claims.token_id
        && good_until(read, &scope, &id, token)?.is_none_or(|end| end <= now)
    {
        return Ok(None);
    }
    let caller = match (claims.caller, claims.operator_uin.parse()) {
        (Some(caller), _) => caller,
        (None, Ok(operator)) => LoginCaller::of_number(operator, scope.uin),
        (None, Err(_)) => return Ok(None),
    };
    let Ok(caller) = serde_json::to_string(&caller) else { return Ok(None) };
    let mut attributes = BTreeMap::from([
        (INSTANCE.to_owned(), id),
        (EXPIRES.to_owned(), claims.exp.to_string()),
        (CALLER.to_owned(), caller),
    ]);
    attributes.extend(claims.token_id.map(|token| (TOKEN.to_owned(), token)));
    Ok(Some(Subject { id: claims.operator_uin, attributes }))
}

/// Who made the token that a subject logged in with, as [`read_caller`] reads it.
pub(crate) fn caller_text(subject: &Subject) -> Option<&str> {
    subject.attributes.get(CALLER).map(String::as_str)
}

/// The caller of a [`caller_text`], in the account that owns the instance.
pub(crate) fn read_caller(text: &str, owner: u64) -> Option<Caller> {
    let caller: LoginCaller = serde_json::from_str(text).ok()?;
    caller.into_caller(owner)
}

/// The token that a subject logged in with earlier.
pub(crate) struct Presented<'a> {
    pub(crate) instance: &'a str,
    /// The id of a long-term token; a temporary one has none.
    pub(crate) token: Option<&'a str>,
    expires: i64,
}

impl Presented<'_> {
    pub(crate) fn is_timely(&self, now: Moment) -> bool {
        now.seconds() < self.expires
    }
}

/// What a subject logged in with; `None` where it was no token.
pub(crate) fn presented(subject: &Subject) -> Option<Presented<'_>> {
    let attribute = |name| subject.attributes.get(name).map(String::as_str);
    let expires = attribute(EXPIRES)?.parse().ok()?;
    Some(Presented { instance: attribute(INSTANCE)?, token: attribute(TOKEN), expires })
}

/// Until when a long-term token is good; `None` for one that is gone or disabled.
pub(crate) fn good_until(
    read: &impl Read,
    scope: &Regional,
    instance: &str,
    token: &str,
) -> Result<Option<Moment>, StoreError> {
    let row = read.get::<Tokens>(scope, &(instance, token))?;
    Ok(row.filter(|row| row.enabled).map(|row| row.expires_at))
}
