//! Documents: a version and its statements.

use crate::condition::Condition;
use crate::error::{Fault, SyntaxError};
use crate::json::Json;
use crate::pattern::Pattern;
use crate::principal::{Applicant, Principal};
use crate::resource::{ResourceName, ResourcePattern};

/// How many characters a policy may have, as it is sent.
pub const LIMIT: usize = 6144;

/// A policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    text: Box<str>,
    statements: Box<[Statement]>,
}

/// What a statement does when it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Allows, unless another denies.
    Allow,
    /// Denies, whatever others allow.
    Deny,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub(crate) effect: Effect,
    actions: Box<[ActionPattern]>,
    /// Empty in a trust policy, which is about the role that it is part of.
    resources: Box<[ResourcePattern]>,
    conditions: Box<[Condition]>,
    /// Empty but in a trust policy.
    principals: Box<[Principal]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ActionPattern {
    service: Pattern,
    action: Pattern,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Identity,
    Trust,
}

impl Document {
    /// Reads the policy of an identity, a boundary or a session: it has no principal.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Self::read(text, Kind::Identity)
    }

    /// Reads the trust policy of a role: it has principals, beside its statements or in each, and needs no resource.
    pub fn parse_trust(text: &str) -> Result<Self, SyntaxError> {
        Self::read(text, Kind::Trust)
    }

    /// The text that was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The statements.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    fn read(text: &str, kind: Kind) -> Result<Self, SyntaxError> {
        let fail = |fault, what: String| Err(SyntaxError::new(fault, "", what));
        // A character has four bytes at most: what is longer need not be counted.
        if text.len() > 4 * LIMIT || text.chars().count() > LIMIT {
            return fail(Fault::Length, format!("a policy may have {LIMIT} characters"));
        }
        let members = match serde_json::from_str(text) {
            Ok(Json::Object(members)) => members,
            Ok(other) => return fail(Fault::Document, format!("must be an object, not {}", other.kind())),
            Err(error) => return fail(Fault::Document, format!("not JSON: {error}")),
        };
        let (mut version, mut statements, mut principals) = (None, None, None);
        for (name, value) in &members {
            match name.as_str() {
                "version" => version = Some(value),
                "statement" => statements = Some(value),
                "principal" if kind == Kind::Trust => principals = Some(Principal::parse_all(value, name)?),
                "principal" => return Err(misplaced_principal(name)),
                _ => return fail(Fault::Document, format!("there is no element `{name}`")),
            }
        }
        match version {
            Some(Json::Text(version)) if version == "2.0" => {}
            _ => return Err(SyntaxError::new(Fault::Version, "version", "must be `2.0`")),
        }
        let statements = match statements {
            Some(Json::List(statements)) if !statements.is_empty() => statements.as_slice(),
            Some(one @ Json::Object(_)) => std::slice::from_ref(one),
            _ => return Err(SyntaxError::new(Fault::Statement, "statement", "must be a list of objects")),
        };
        let statements = statements.iter().enumerate().map(|(position, statement)| {
            Statement::read(statement, &format!("statement[{position}]"), kind, principals.as_deref())
        });
        Ok(Self { text: text.into(), statements: statements.collect::<Result<_, _>>()? })
    }
}

fn misplaced_principal(at: &str) -> SyntaxError {
    SyntaxError::new(Fault::Principal, at, "only the trust policy of a role has a principal")
}

impl Statement {
    /// What it does when it matches.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    fn read(
        statement: &Json,
        at: &str,
        kind: Kind,
        principals_of_all: Option<&[Principal]>,
    ) -> Result<Self, SyntaxError> {
        let Json::Object(members) = statement else {
            let what = format!("must be an object, not {}", statement.kind());
            return Err(SyntaxError::new(Fault::Statement, at, what));
        };
        let (mut effect, mut actions, mut resources) = (None, None, None);
        let (mut conditions, mut principals) = (Box::default(), None);
        for (name, value) in members {
            let at = format!("{at}.{name}");
            match name.as_str() {
                "effect" => effect = Some(Effect::read(value, &at)?),
                "action" => actions = Some(texts(value, &at, Fault::Action, ActionPattern::read)?),
                "resource" => resources = Some(texts(value, &at, Fault::Resource, ResourcePattern::parse)?),
                "condition" => conditions = Condition::parse_all(value, &at)?,
                "principal" if kind == Kind::Trust => principals = Some(Principal::parse_all(value, &at)?),
                "principal" => return Err(misplaced_principal(&at)),
                _ => {
                    let what = format!("there is no element `{name}`");
                    return Err(SyntaxError::new(Fault::Statement, at, what));
                }
            }
        }
        let missing = |fault, element: &str| SyntaxError::new(fault, at, format!("has no `{element}`"));
        let principals = match kind {
            Kind::Identity => Box::default(),
            Kind::Trust => principals
                .or_else(|| principals_of_all.map(Into::into))
                .ok_or_else(|| missing(Fault::Principal, "principal"))?,
        };
        let resources = match (resources, kind) {
            (Some(resources), _) => resources,
            (None, Kind::Trust) => Box::default(),
            (None, Kind::Identity) => return Err(missing(Fault::Resource, "resource")),
        };
        Ok(Self {
            effect: effect.ok_or_else(|| missing(Fault::Effect, "effect"))?,
            actions: actions.ok_or_else(|| missing(Fault::ActionMissing, "action"))?,
            resources,
            conditions,
            principals,
        })
    }

    pub(crate) fn is_about(&self, service: &str, action: &str) -> bool {
        self.actions.iter().any(|pattern| pattern.service.matches(service) && pattern.action.matches(action))
    }

    pub(crate) fn touches(&self, resource: Option<&ResourceName<'_>>, owner: u64) -> bool {
        self.resources.iter().any(|pattern| pattern.matches(resource, owner))
    }

    pub(crate) fn holds(&self, context: &dyn crate::Context) -> bool {
        self.conditions.iter().all(|condition| condition.holds(context))
    }

    pub(crate) fn speaks_of(&self, applicant: &Applicant<'_>) -> bool {
        self.principals.iter().any(|principal| principal.is(applicant))
    }
}

impl Effect {
    fn read(value: &Json, at: &str) -> Result<Self, SyntaxError> {
        match value {
            Json::Text(text) if text == "allow" => Ok(Self::Allow),
            Json::Text(text) if text == "deny" => Ok(Self::Deny),
            _ => Err(SyntaxError::new(Fault::Effect, at, "must be `allow` or `deny`")),
        }
    }
}

/// A text or a list of texts, none of them missing.
fn texts<T>(
    value: &Json,
    at: &str,
    fault: Fault,
    read: impl Fn(&str, &str) -> Result<T, SyntaxError>,
) -> Result<Box<[T]>, SyntaxError> {
    match value {
        Json::Text(text) => Ok([read(text, at)?].into()),
        Json::List(list) if !list.is_empty() => list
            .iter()
            .enumerate()
            .map(|(position, item)| match item {
                Json::Text(text) => read(text, &format!("{at}[{position}]")),
                other => {
                    let what = format!("must be a text, not {}", other.kind());
                    Err(SyntaxError::new(fault, format!("{at}[{position}]"), what))
                }
            })
            .collect(),
        Json::List(_) => {
            let fault = if fault == Fault::Action { Fault::ActionMissing } else { fault };
            Err(SyntaxError::new(fault, at, "must not be empty"))
        }
        other => Err(SyntaxError::new(fault, at, format!("must be a text or a list, not {}", other.kind()))),
    }
}

impl ActionPattern {
    /// `*`, `service:Action` or `name/service:Action`. The old sets of permissions (`permid/…`) are not known here.
    fn read(text: &str, at: &str) -> Result<Self, SyntaxError> {
        let named = text.strip_prefix("name/").unwrap_or(text);
        if named == "*" {
            return Ok(Self { service: Pattern::Any, action: Pattern::Any });
        }
        let plain = |part: &str| {
            let is_plain =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'*' | b'.');
            !part.is_empty() && part.bytes().all(is_plain)
        };
        match named.split_once(':') {
            Some((service, action)) if plain(service) && plain(action) => {
                Ok(Self { service: Pattern::new(service), action: Pattern::new(action) })
            }
            _ => {
                let what = format!("`{text}` is not of the form `service:Action` or `*`");
                Err(SyntaxError::new(Fault::Action, at, what))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (Fault, String) {
        let error = Document::parse(text).unwrap_err();
        (error.fault, error.at)
    }

    fn statement(members: &str) -> String {
        format!(r#"{{"version":"2.0","statement":[{{{members}}}]}}"#)
    }

    #[test]
    fn texts_and_lists_are_the_same() {
        for text in [
            r#"{"version":"2.0","statement":{"effect":"allow","action":"*","resource":"*"}}"#,
            r#"{"statement":[{"resource":["*"],"action":["name/cvm:Describe*","tcr:*"],"effect":"deny"}],"version":"2.0"}"#,
        ] {
            assert_eq!(Document::parse(text).unwrap().text(), text);
        }
    }

    #[test]
    fn every_fault_has_its_name_and_place() {
        for (members, expected, at) in [
            (r#""action":"*","resource":"*""#, Fault::Effect, "statement[0]"),
            (r#""effect":"Allow","action":"*","resource":"*""#, Fault::Effect, "statement[0].effect"),
            (r#""effect":"allow","resource":"*""#, Fault::ActionMissing, "statement[0]"),
            (r#""effect":"allow","action":[],"resource":"*""#, Fault::ActionMissing, "statement[0].action"),
            (
                r#""effect":"allow","action":["tcr:*","tcr"],"resource":"*""#,
                Fault::Action,
                "statement[0].action[1]",
            ),
            (r#""effect":"allow","action":"permid/1","resource":"*""#, Fault::Action, "statement[0].action"),
            (r#""effect":"allow","action":"tcr:","resource":"*""#, Fault::Action, "statement[0].action"),
            (r#""effect":"allow","action":{"a":1},"resource":"*""#, Fault::Action, "statement[0].action"),
            (r#""effect":"allow","action":"*""#, Fault::Resource, "statement[0]"),
            (r#""effect":"allow","action":"*","resource":[1]"#, Fault::Resource, "statement[0].resource[0]"),
            (r#""effect":"allow","action":"*","resource":"x""#, Fault::ResourceQcs, "statement[0].resource"),
            (
                r#""effect":"allow","action":"*","resource":"*","sid":"x""#,
                Fault::Statement,
                "statement[0].sid",
            ),
            (
                r#""effect":"allow","action":"*","resource":"*","condition":1"#,
                Fault::Condition,
                "statement[0].condition",
            ),
            (
                r#""effect":"allow","action":"*","resource":"*","principal":{}"#,
                Fault::Principal,
                "statement[0].principal",
            ),
        ] {
            assert_eq!(fault(&statement(members)), (expected, at.to_owned()), "{members}");
        }
        for (text, expected) in [
            ("", Fault::Document),
            ("[]", Fault::Document),
            (r#"{"version":"2.0","statement":[],"id":"x"}"#, Fault::Document),
            (r#"{"statement":[]}"#, Fault::Version),
            (r#"{"version":2.0,"statement":[]}"#, Fault::Version),
            (r#"{"version":"1.0","statement":[]}"#, Fault::Version),
            (r#"{"version":"2.0"}"#, Fault::Statement),
            (r#"{"version":"2.0","statement":[]}"#, Fault::Statement),
            (r#"{"version":"2.0","statement":["x"]}"#, Fault::Statement),
            (r#"{"version":"2.0","version":"2.0","statement":[]}"#, Fault::Document),
        ] {
            assert_eq!(fault(text).0, expected, "{text}");
        }
        assert_eq!(fault(&"[".repeat(1000)).0, Fault::Document, "depth has an end");
    }

    #[test]
    fn a_policy_has_6144_characters_at_most() {
        let text = statement(r#""effect":"allow","action":"*","resource":"*""#);
        let padded = |length: usize| format!("{text}{}", " ".repeat(length - text.len()));
        assert!(Document::parse(&padded(6144)).is_ok());
        assert_eq!(fault(&padded(6145)).0, Fault::Length);
        let wide = statement(&format!(
            r#""effect":"allow","action":"*","resource":"*","condition":{{"string_equal":{{"k":"{}"}}}}"#,
            "汉".repeat(6000)
        ));
        assert!(Document::parse(&wide).is_ok(), "characters, not bytes");
    }

    #[test]
    fn trust_policies_have_principals() {
        for text in [
            r#"{"version":"2.0","statement":[{"effect":"allow","action":"name/sts:AssumeRole","principal":{"service":["cvm.qcloud.com","scf.qcloud.com"]}}]}"#,
            r#"{"version":"2.0","principal":{"qcs":["qcs::cam::uin/1:root"]},"statement":[{"effect":"allow","action":["sts:AssumeRole"]}]}"#,
            r#"{"version":"2.0","statement":[{"effect":"allow","action":"sts:AssumeRoleWithSAML","principal":{"federated":"qcs::cam::uin/1:saml-provider/idp"},"resource":"*"}]}"#,
        ] {
            Document::parse_trust(text).unwrap();
        }
        let with = |principal: &str| {
            let text =
                statement(&format!(r#""effect":"allow","action":"sts:AssumeRole","principal":{principal}"#));
            Document::parse_trust(&text).unwrap_err().fault
        };
        for (principal, expected) in [
            ("1", Fault::Principal),
            ("{}", Fault::Principal),
            (r#"{"qcs":[]}"#, Fault::Principal),
            (r#"{"aws":"x"}"#, Fault::Principal),
            (r#"{"qcs":[1]}"#, Fault::Principal),
            (r#"{"qcs":"*"}"#, Fault::PrincipalQcs),
            (r#"{"qcs":"qcs::cam::uin/x:root"}"#, Fault::PrincipalQcs),
            (r#"{"qcs":"qcs::cam::uin/1:group/2"}"#, Fault::PrincipalQcs),
            (r#"{"federated":"idp"}"#, Fault::PrincipalQcs),
            (r#"{"service":"cvm"}"#, Fault::PrincipalService),
        ] {
            assert_eq!(with(principal), expected, "{principal}");
        }
        let nobody = statement(r#""effect":"allow","action":"sts:AssumeRole""#);
        assert_eq!(Document::parse_trust(&nobody).unwrap_err().fault, Fault::Principal);
    }
}
