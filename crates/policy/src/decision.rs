//! Deciding: deny by default, a matching allow allows, a matching deny denies whatever is allowed.

use crate::context::Context;
use crate::document::{Document, Effect};
use crate::principal::Applicant;
use crate::resource::ResourceName;

/// What somebody wants to do.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The account whose policies decide; what their empty account segments mean.
    pub owner: u64,
    /// The product: `tcr`.
    pub service: &'a str,
    /// The action: `CreateNamespace`.
    pub action: &'a str,
    /// What is touched; `None` for an action that is authorised as a whole, which only the resource `*` means.
    pub resource: Option<ResourceName<'a>>,
    /// The circumstances.
    pub context: &'a dyn Context,
}

/// What a set of documents says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<L> {
    /// This statement allows, and none denies.
    Allowed {
        /// The label of the document.
        by: L,
        /// The statement's position in it.
        statement: usize,
    },
    /// This statement denies.
    Denied {
        /// The label of the document.
        by: L,
        /// The statement's position in it.
        statement: usize,
    },
    /// No statement says anything.
    Unmatched,
}

impl<L> Decision<L> {
    /// Whether it allows.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// Asks the documents, each with a label to be known again by.
pub fn decide<'d, L>(
    documents: impl IntoIterator<Item = (L, &'d Document)>,
    request: &Request<'_>,
) -> Decision<L> {
    first_of(documents, |document| {
        matching(document, |statement| {
            statement.is_about(request.service, request.action)
                && statement.touches(request.resource.as_ref(), request.owner)
                && statement.holds(request.context)
        })
    })
}

/// Asks a trust policy whether `applicant` may take the role with `action` (`AssumeRole`, `AssumeRoleWithSAML`, …) of `sts`.
#[must_use]
pub fn trusts(
    document: &Document,
    action: &str,
    applicant: &Applicant<'_>,
    context: &dyn Context,
) -> Decision<()> {
    first_of([((), document)], |document| {
        matching(document, |statement| {
            statement.is_about("sts", action) && statement.speaks_of(applicant) && statement.holds(context)
        })
    })
}

/// The statement of a document that counts: the first matching deny, else the first matching allow.
fn matching(document: &Document, matches: impl Fn(&crate::Statement) -> bool) -> Option<(Effect, usize)> {
    let mut allowed = None;
    for (position, statement) in document.statements().iter().enumerate() {
        // A second allow changes nothing.
        if (statement.effect == Effect::Allow && allowed.is_some()) || !matches(statement) {
            continue;
        }
        match statement.effect {
            Effect::Deny => return Some((Effect::Deny, position)),
            Effect::Allow => allowed = Some((Effect::Allow, position)),
        }
    }
    allowed
}

fn first_of<'d, L>(
    documents: impl IntoIterator<Item = (L, &'d Document)>,
    matching: impl Fn(&Document) -> Option<(Effect, usize)>,
) -> Decision<L> {
    let mut decision = Decision::Unmatched;
    for (by, document) in documents {
        match matching(document) {
            Some((Effect::Deny, statement)) => return Decision::Denied { by, statement },
            Some((Effect::Allow, statement)) if !decision.is_allowed() => {
                decision = Decision::Allowed { by, statement };
            }
            Some((Effect::Allow, _)) | None => {}
        }
    }
    decision
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: u64 = 100_000_000_001;

    fn document(statements: &str) -> Document {
        Document::parse(&format!(r#"{{"version":"2.0","statement":[{statements}]}}"#)).unwrap()
    }

    fn ask(documents: &[Document], operation: &str, resource: Option<&str>) -> Decision<usize> {
        let (service, action) = operation.split_once(':').unwrap();
        let resource = resource.map(|name| ResourceName::parse(name, OWNER, 1).unwrap());
        decide(
            documents.iter().enumerate(),
            &Request { owner: OWNER, service, action, resource, context: &() },
        )
    }

    #[test]
    fn denies_by_default_and_over_any_allow() {
        let allow = document(r#"{"effect":"allow","action":"tcr:*","resource":"*"}"#);
        let deny = document(
            r#"{"effect":"allow","action":"kms:ListKeys","resource":"*"},
               {"effect":"deny","action":"tcr:Delete*","resource":"qcs::tcr:::instance/tcr-1"}"#,
        );
        let both = [allow, deny];
        let instance = "qcs::tcr:ap-guangzhou:uin/100000000001:instance/tcr-1";
        assert_eq!(ask(&[], "tcr:DeleteInstance", Some(instance)), Decision::Unmatched);
        assert_eq!(
            ask(&both, "tcr:DeleteInstance", Some(instance)),
            Decision::Denied { by: 1, statement: 1 }
        );
        assert_eq!(
            ask(&both, "tcr:ModifyInstance", Some(instance)),
            Decision::Allowed { by: 0, statement: 0 }
        );
        assert_eq!(ask(&both, "tcr:DeleteInstance", None), Decision::Allowed { by: 0, statement: 0 });
        assert_eq!(ask(&both, "kms:ListKeys", None), Decision::Allowed { by: 1, statement: 0 });
        assert_eq!(ask(&both, "kms:CreateKey", None), Decision::Unmatched);
    }

    #[test]
    fn roles_are_taken_by_those_they_trust() {
        let trust = |principal: &str, condition: &str| {
            Document::parse_trust(&format!(
                r#"{{"version":"2.0","statement":[{{"effect":"allow","action":"name/sts:AssumeRole","principal":{principal}{condition}}}]}}"#
            ))
            .unwrap()
        };
        let may =
            |document: &Document, applicant| trusts(document, "AssumeRole", &applicant, &()).is_allowed();
        let account = trust(r#"{"qcs":"qcs::cam::uin/1:root"}"#, "");
        assert!(may(&account, Applicant::Root { account: 1 }));
        assert!(may(&account, Applicant::User { account: 1, uin: 2 }));
        assert!(may(&account, Applicant::Role { account: 1, id: "9", name: "r" }));
        assert!(!may(&account, Applicant::Root { account: 2 }));
        assert!(!may(&account, Applicant::Service("cvm.qcloud.com")));
        assert!(!trusts(&account, "AssumeRoleWithSAML", &Applicant::Root { account: 1 }, &()).is_allowed());
        let user = trust(r#"{"qcs":["qcs::cam::uin/1:uin/2","qcs::cam::uin/1:roleName/r"]}"#, "");
        assert!(may(&user, Applicant::User { account: 1, uin: 2 }));
        assert!(!may(&user, Applicant::User { account: 1, uin: 3 }));
        assert!(!may(&user, Applicant::Root { account: 1 }));
        assert!(may(&user, Applicant::Role { account: 1, id: "9", name: "r" }));
        assert!(!may(&user, Applicant::Role { account: 1, id: "r", name: "q" }));
        let service = trust(r#"{"service":"cvm.qcloud.com"}"#, "");
        assert!(may(&service, Applicant::Service("cvm.qcloud.com")));
        assert!(!may(&service, Applicant::Root { account: 1 }));
        let external = trust(
            r#"{"qcs":"qcs::cam::uin/1:root"}"#,
            r#","condition":{"string_equal":{"sts:external_id":"secret"}}"#,
        );
        assert!(!may(&external, Applicant::Root { account: 1 }));
    }
}
