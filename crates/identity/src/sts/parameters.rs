//! What requests for temporary keys carry: names, durations, policies, tags.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use rookery_api::sts::{Credentials, Tag};
use rookery_gateway::Caller;
use rookery_policy::Document;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::sessions::Issued;
use crate::sts::error::Error;

const NAME: &str = "must have 2 to 128 letters, digits and + = , . @ _ -";
const EXTERNAL_ID: &str = "must have 2 to 128 letters, digits and + = , . @ : / _ -";
const FEDERATION_NAME: &str = "must have 1 to 128 letters, digits and + = , . @ _ -";
const TAG: &str = "must have keys of 1 to 127 characters, each once, and values of 255 at most";
/// Session tags of one request.
const TAGS: usize = 50;

/// The longest session of a role, in seconds.
pub(crate) const LONGEST_OF_ROLE: u64 = 43_200;
/// What a session of a role is given where nothing is asked for.
pub(crate) const USUAL_OF_ROLE: u64 = 7200;
/// What `GetFederationToken` and `GetSessionToken` give where nothing is asked for.
const USUAL: u64 = 1800;
/// The longest that they give a root.
const LONGEST_OF_ROOT: u64 = 7200;
/// The longest that they give a sub-user.
const LONGEST_OF_USER: u64 = 129_600;

fn is_of(text: &str, marks: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || marks.as_bytes().contains(&byte))
}

/// `RoleSessionName`: `[\w+=,.@_-]*`.
pub(crate) fn session_name(text: &str) -> Result<&str, Error> {
    if is_of(text, "+=,.@_-", 2..=128) {
        return Ok(text);
    }
    Err(Error::Parameter { parameter: "RoleSessionName", rule: NAME })
}

/// `Name` of `GetFederationToken`. The page says letters; the vendor's own helpers send `cos-sts-python`.
pub(crate) fn federation_name(text: &str) -> Result<&str, Error> {
    if is_of(text, "+=,.@_-", 1..=128) {
        return Ok(text);
    }
    Err(Error::Parameter { parameter: "Name", rule: FEDERATION_NAME })
}

/// `ExternalId`: `[\w+=,.@:\/-]*`.
pub(crate) fn external_id(text: Option<&str>) -> Result<Option<&str>, Error> {
    match text {
        None | Some("") => Ok(None),
        Some(text) if is_of(text, "+=,.@:/_-", 2..=128) => Ok(Some(text)),
        Some(_) => Err(Error::Parameter { parameter: "ExternalId", rule: EXTERNAL_ID }),
    }
}

/// `SourceIdentity`. A session that has one hands it on, and cannot change it.
pub(crate) fn source_identity(asked: Option<String>, caller: &Caller) -> Result<Option<String>, Error> {
    let asked = asked.filter(|identity| !identity.is_empty());
    if asked.as_deref().is_some_and(|identity| !is_of(identity, "+=,.@_-", 2..=128)) {
        return Err(Error::Parameter { parameter: "SourceIdentity", rule: NAME });
    }
    let kept = caller.session.as_ref().and_then(|session| session.source_identity.clone());
    match (kept, asked) {
        (Some(kept), Some(asked)) if kept != asked => {
            Err(Error::Parameter { parameter: "SourceIdentity", rule: "cannot be changed in a session" })
        }
        (kept, asked) => Ok(kept.or(asked)),
    }
}

/// `Tags`: fifty at most, each key once.
pub(crate) fn tags(asked: Option<Vec<Tag>>) -> Result<Vec<(String, String)>, Error> {
    let asked = asked.unwrap_or_default();
    if asked.len() > TAGS {
        return Err(Error::Tags { limit: TAGS });
    }
    let mut tags: Vec<(String, String)> = Vec::with_capacity(asked.len());
    for Tag { key, value } in asked {
        let usable = (1..=127).contains(&key.chars().count()) && value.chars().count() <= 255;
        if !usable || tags.iter().any(|(other, _)| *other == key) {
            return Err(Error::Parameter { parameter: "Tags", rule: TAG });
        }
        tags.push((key, value));
    }
    Ok(tags)
}

/// A duration within its limits.
pub(crate) fn duration(asked: Option<u64>, usual: u64, longest: u64) -> Result<i64, Error> {
    let seconds = asked.unwrap_or(usual.min(longest));
    if (1..=longest).contains(&seconds) {
        return i64::try_from(seconds).map_err(|_| Error::Duration { longest });
    }
    Err(Error::Duration { longest })
}

/// How long a key of `GetFederationToken` or `GetSessionToken` is good for.
pub(crate) fn duration_for(caller: &Caller, asked: Option<u64>) -> Result<i64, Error> {
    duration(asked, USUAL, if caller.is_root() { LONGEST_OF_ROOT } else { LONGEST_OF_USER })
}

/// `Policy`, which comes URL-encoded, or as the JSON that it is.
pub(crate) fn policy(text: &str) -> Result<Document, Error> {
    let text = if text.trim_start().starts_with('{') {
        Cow::Borrowed(text)
    } else {
        let not_text = Error::Parameter { parameter: "Policy", rule: "must be UTF-8" };
        // Python's quote_plus and HTML forms write a blank as `+`, which JSON has nowhere but in texts.
        percent_decode_str(text).decode_utf8().map_err(|_| not_text)?
    };
    Document::parse(&text).map_err(Error::Policy)
}

/// A temporary key as replies show it.
pub(crate) fn credentials(issued: Issued) -> Credentials {
    Credentials { token: issued.token, tmp_secret_id: issued.secret_id, tmp_secret_key: issued.secret_key }
}

/// A moment as replies show it, in UTC.
pub(crate) fn expiration(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_come_encoded_or_plain() {
        let plain = r#"{"version":"2.0","statement":{"effect":"allow","action":"tcr:*","resource":"*"}}"#;
        let encoded =
            percent_encoding::utf8_percent_encode(plain, percent_encoding::NON_ALPHANUMERIC).to_string();
        assert_eq!(policy(plain).unwrap().text(), plain);
        assert_eq!(policy(&encoded).unwrap().text(), plain);
        for wrong in ["", "%", "%FF", "x", "%7B", "[]"] {
            assert!(policy(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_limits() {
        assert_eq!(duration(None, 7200, 43_200).unwrap(), 7200);
        assert_eq!(duration(None, 7200, 3600).unwrap(), 3600);
        assert_eq!(duration(Some(43_200), 7200, 43_200).unwrap(), 43_200);
        for (asked, longest) in [(0, 7200), (7201, 7200), (u64::MAX, 7200)] {
            assert!(matches!(duration(Some(asked), 1800, longest), Err(Error::Duration { .. })));
        }
    }

    #[test]
    fn names_are_checked() {
        assert!(session_name("tencentcloud-python-sdk-1795316541123456.8").is_ok());
        for wrong in ["", "a", "a b", "a/b", &"x".repeat(129)] {
            assert!(session_name(wrong).is_err(), "{wrong}");
        }
        assert!(federation_name("cos-sts-python").is_ok() && federation_name("").is_err());
        assert!(matches!(external_id(Some("a:b/c")), Ok(Some("a:b/c"))) && external_id(Some("a")).is_err());
        let tag = |key: &str| Tag { key: key.to_owned(), value: "v".to_owned() };
        assert_eq!(tags(Some(vec![tag("a"), tag("b")])).unwrap().len(), 2);
        assert!(tags(Some(vec![tag("a"), tag("a")])).is_err() && tags(Some(vec![tag("")])).is_err());
        let many = (0..51).map(|number| tag(&number.to_string())).collect();
        assert!(matches!(tags(Some(many)), Err(Error::Tags { .. })));
    }
}
