//! The one decision: may this caller do that.
//!
//! The root of an account may do everything in it. A sub-user or a role may do what one of its policies allows, none denies, and its
//! boundary allows as well; a temporary key only what its session's policy also allows; a federated user what the identity that
//! asked for the key may, within the policy that it gave.

use std::borrow::Cow;
use std::cell::Cell;

use rookery_gateway::permission::Tag;
use rookery_gateway::{Caller, Decision, Principal, Question, ResourceTags};
use rookery_policy::{Context, Document, Request, ResourceName, Value, decide};

use crate::rights::{Bearer, Rights, RightsInMemory};

/// What everybody may do who has a key, unless a policy denies it: who one is, is no secret to oneself.
const FREE: [&str; 1] = ["sts:GetCallerIdentity"];
/// Actions whose proof is an assertion; the action itself looks at it.
const PROVEN_BY_ASSERTION: [&str; 2] = ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];
/// The action whose resource may be another account's, whose trust policy guards it.
const ASSUME_ROLE: &str = "sts:AssumeRole";

/// Decides for one caller. Whose application id is not known, as in a login of the registry, has been given it before.
pub(crate) fn decide_for(
    rights: &RightsInMemory,
    tags: Option<&dyn ResourceTags>,
    caller: &Caller,
    question: &Question<'_>,
) -> Decision {
    if let Principal::Anonymous = caller.principal {
        return if PROVEN_BY_ASSERTION.contains(&question.operation) {
            Decision::Allowed("the assertion is the proof".into())
        } else {
            refused(question.resources.first(), "nobody has signed".to_owned())
        };
    }
    if let Some(foreign) = foreign(caller, question) {
        return refused(Some(foreign), "the resource is another account's".to_owned());
    }
    let bearer = match bearer(caller) {
        Ok(Some(bearer)) => bearer,
        // The root's own key, or one that the root got for itself or for a federated user.
        Ok(None) => {
            return Asked { caller, question, caller_tags: &[], tags }
                .of_session("root of the account".into());
        }
        Err(reason) => return refused(question.resources.first(), reason),
    };
    let rights = match rights.of(caller.account.uin, bearer) {
        Ok(Some(rights)) => rights,
        Ok(None) => return refused(question.resources.first(), "the identity is gone".to_owned()),
        Err(error) => {
            tracing::error!(%error, "rights cannot be read");
            return refused(question.resources.first(), "rights cannot be read".to_owned());
        }
    };
    let asked = Asked { caller, question, caller_tags: &rights.tags, tags };
    match asked.of_identity(&rights) {
        Ok(allowed) => asked.of_session(allowed.into()),
        Err(denied) => denied,
    }
}

fn refused(resource: Option<&String>, reason: String) -> Decision {
    Decision::Denied { resource: resource.cloned().unwrap_or_else(|| "*".to_owned()), reason }
}

/// Whose policies speak for the caller; `None` for a root, which has none.
pub(crate) fn bearer(caller: &Caller) -> Result<Option<Bearer>, String> {
    match &caller.principal {
        Principal::Root => Ok(None),
        Principal::Federated { uin, .. } if *uin == caller.account.uin => Ok(None),
        Principal::User { uin, .. } | Principal::Federated { uin, .. } => Ok(Some(Bearer::User(*uin))),
        Principal::Role { id, .. } => {
            id.parse().map(|id| Some(Bearer::Role(id))).map_err(|_| "no such role".to_owned())
        }
        Principal::Anonymous => Err("nobody has signed".to_owned()),
    }
}

/// A resource of another account.
fn foreign<'q>(caller: &Caller, question: &Question<'q>) -> Option<&'q String> {
    if question.operation == ASSUME_ROLE {
        return None;
    }
    let mut named = question.resources.iter().filter(|resource| *resource != "*").peekable();
    // Most calls of a root name nothing, and need no text for it.
    named.peek()?;
    let own = format!(":uin/{}:", caller.account.uin);
    named.find(|resource| !resource.contains(&own))
}

/// One question of one caller, with what is needed to answer it.
struct Asked<'a> {
    caller: &'a Caller,
    question: &'a Question<'a>,
    /// The tags of the identity.
    caller_tags: &'a [Tag],
    /// Who knows the tags of resources.
    tags: Option<&'a dyn ResourceTags>,
}

impl Asked<'_> {
    fn of_identity(&self, rights: &Rights) -> Result<String, Decision> {
        if let Some(label) = &rights.unreadable {
            let reason = format!("{label} cannot be read, and might deny");
            return Err(refused(self.question.resources.first(), reason));
        }
        let policies = || rights.policies.iter().map(|policy| (policy.label.as_str(), &policy.document));
        let allowed = self.each_resource(|request| {
            self.outcome(decide(policies(), request), &format!("the policies of {}", rights.name))
        })?;
        let Some(boundary) = &rights.boundary else { return Ok(allowed) };
        let label = format!("the boundary, {}", boundary.label);
        let limited = self.each_resource(|request| {
            self.outcome(decide([(label.as_str(), &boundary.document)], request), &label)
        })?;
        Ok(format!("{allowed}; {limited}"))
    }

    /// What the policy of a session leaves of what is allowed.
    fn of_session(&self, allowed: Cow<'static, str>) -> Decision {
        let policy = self.caller.session.as_ref().and_then(|session| session.policy.as_ref());
        let Some(document) = policy else { return Decision::Allowed(allowed) };
        let label = "the session's policy";
        let narrowed =
            self.each_resource(|request| self.outcome(decide([(label, document)], request), label));
        match narrowed {
            Ok(narrowed) => Decision::Allowed(format!("{allowed}; {narrowed}").into()),
            Err(denied) => denied,
        }
    }

    /// What one set of policies says of one resource, in words.
    fn outcome(&self, decision: rookery_policy::Decision<&str>, set: &str) -> Result<String, String> {
        match decision {
            rookery_policy::Decision::Allowed { by, statement } => {
                Ok(format!("statement {statement} of {by} allows"))
            }
            rookery_policy::Decision::Denied { by, statement } => {
                Err(format!("statement {statement} of {by} denies"))
            }
            rookery_policy::Decision::Unmatched if FREE.contains(&self.question.operation) => {
                Ok("everybody may".to_owned())
            }
            rookery_policy::Decision::Unmatched => Err(format!("no statement of {set} allows it")),
        }
    }

    /// Asks about each resource; the first that is refused decides, else what allowed the last.
    fn each_resource(
        &self,
        ask: impl Fn(&Request<'_>) -> Result<String, String>,
    ) -> Result<String, Decision> {
        let owner = self.caller.account;
        let operation = self.question.operation;
        let (service, action) = operation.split_once(':').unwrap_or((operation, ""));
        let mut allowed = String::new();
        for (position, name) in self.question.resources.iter().enumerate() {
            let resource = if name == "*" {
                None
            } else {
                let parsed = ResourceName::parse(name, owner.uin, owner.app_id);
                Some(parsed.ok_or_else(|| refused(Some(name), "no resource has such a name".to_owned()))?)
            };
            let context = Circumstances { asked: self, position, name, unknown: Cell::new(false) };
            let request = Request { owner: owner.uin, service, action, resource, context: &context };
            let answer = ask(&request);
            if context.unknown.get() {
                return Err(refused(Some(name), "its tags cannot be read".to_owned()));
            }
            allowed = answer.map_err(|reason| refused(Some(name), reason))?;
        }
        Ok(allowed)
    }
}

/// What conditions can speak of. `qcs:principal_tag`, `qcs:source_identity`, `qcs:token_issue_time` and `qcs:secure_transport` are in no
/// document that could be had; they stand here because the tags and the source identity of a session would otherwise be for nothing.
struct Circumstances<'a> {
    asked: &'a Asked<'a>,
    /// Which resource.
    position: usize,
    name: &'a str,
    /// Whether something that was asked for could not be found out. It might have denied, so nothing is allowed.
    unknown: Cell<bool>,
}

impl Circumstances<'_> {
    /// The tags of the resource: by the word of the action, else of the tag service.
    fn resource_tags(&self) -> Vec<Value<'static>> {
        if let Some(tags) =
            self.asked.question.resource_tags.get(self.position).filter(|tags| !tags.is_empty())
        {
            return tag_values(tags).collect();
        }
        let (Some(known), true) = (self.asked.tags, self.name != "*") else { return Vec::new() };
        match known.tags(self.name, self.asked.caller.account.uin) {
            Ok(tags) => tag_values(&tags).collect(),
            Err(error) => {
                tracing::error!(resource = self.name, error, "the tags of a resource cannot be read");
                self.unknown.set(true);
                Vec::new()
            }
        }
    }

    /// The tags of the identity; a session's stands for the identity's of the same key.
    fn principal_tags(&self) -> Vec<Value<'static>> {
        let session = self.asked.caller.session.as_deref();
        let of_session = session.map_or(&[][..], |session| session.tags.as_slice());
        let kept: Vec<Tag> = self
            .asked
            .caller_tags
            .iter()
            .filter(|(key, _)| !of_session.iter().any(|(other, _)| other == key))
            .cloned()
            .collect();
        tag_values(&kept).chain(tag_values(of_session)).collect()
    }
}

fn tag_values(tags: &[Tag]) -> impl Iterator<Item = Value<'static>> {
    tags.iter().map(|(key, value)| Value::Text(format!("{key}&{value}").into()))
}

impl Context for Circumstances<'_> {
    fn values(&self, key: &str) -> Vec<Value<'_>> {
        let circumstances = &self.asked.question.circumstances;
        let session = self.asked.caller.session.as_deref();
        match key {
            "qcs:ip" => vec![Value::Address(circumstances.source.to_canonical())],
            "qcs:current_time" => vec![Value::Time(circumstances.now)],
            "qcs:secure_transport" => circumstances.secure.map(Value::Boolean).into_iter().collect(),
            "qcs:resource_tag" | "qcs:tag" => self.resource_tags(),
            "qcs:request_tag" => tag_values(self.asked.question.request_tags).collect(),
            "qcs:principal_tag" => self.principal_tags(),
            "qcs:source_identity" => session
                .and_then(|session| session.source_identity.as_deref())
                .map(|identity| Value::Text(identity.into()))
                .into_iter()
                .collect(),
            "qcs:token_issue_time" => session
                .and_then(|session| time::OffsetDateTime::from_unix_timestamp(session.issued_at).ok())
                .map(Value::Time)
                .into_iter()
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// Whether `document` lets `caller` do what is asked, alone: for the trust of roles, whose conditions see the same circumstances.
pub(crate) fn trusts(
    document: &Document,
    action: &str,
    applicant: &rookery_policy::Applicant<'_>,
    context: &dyn Context,
) -> bool {
    rookery_policy::trusts(document, action, applicant, context).is_allowed()
}
