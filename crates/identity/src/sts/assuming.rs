//! Taking a role: what is common to the three ways of proving that one may.

use rookery_gateway::permission::Circumstances;
use rookery_gateway::{Principal, RequestId};
use rookery_policy::{Applicant, Context, Document, Value};

use crate::Cam;
use crate::decision;
use crate::sessions::{Grant, Issued};
use crate::sts::error::Error;
use crate::sts::parameters::{LONGEST_OF_ROLE, USUAL_OF_ROLE, duration};
use crate::sts::role_names::{Role, RoleArn};

/// Who wants which role, and what the role's trust policy can ask about it.
pub(crate) struct Application<'a> {
    /// `AssumeRole`, `AssumeRoleWithSAML` or `AssumeRoleWithWebIdentity`.
    pub(crate) action: &'static str,
    pub(crate) applicant: Applicant<'a>,
    /// What conditions can speak of beside the circumstances: `sts:external_id`, `saml:aud`, `oidc:sub`, …
    pub(crate) claims: Vec<(&'static str, String)>,
    pub(crate) circumstances: Circumstances,
    pub(crate) request_id: RequestId,
}

impl Context for Application<'_> {
    fn values(&self, key: &str) -> Vec<Value<'_>> {
        match key {
            "qcs:ip" => vec![Value::Address(self.circumstances.source.to_canonical())],
            "qcs:current_time" => vec![Value::Time(self.circumstances.now)],
            "qcs:secure_transport" => self.circumstances.secure.map(Value::Boolean).into_iter().collect(),
            _ => self
                .claims
                .iter()
                .filter(|(name, _)| *name == key)
                .map(|(_, value)| Value::Text(value.as_str().into()))
                .collect(),
        }
    }
}

/// What the session is to be.
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) duration: Option<u64>,
    pub(crate) policy: Option<Document>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) source_identity: Option<String>,
}

impl Cam {
    /// The role that a `RoleArn` names.
    pub(crate) fn role(&self, arn: &str) -> Result<Role, Error> {
        let parsed = RoleArn::parse(arn).ok_or(Error::Parameter {
            parameter: "RoleArn",
            rule: "must be of the form qcs::cam::uin/<uin>:roleName/<name> or qcs::cam::uin/<uin>:role/<id>",
        })?;
        let found = self.store.read(|view| parsed.find(view))?;
        found.ok_or_else(|| Error::NoRole { role: arn.to_owned() })
    }

    /// Gives out a key of the role, where its trust policy trusts the applicant. The reply's other member is when it ends.
    pub(crate) fn assume(
        &self,
        role: &Role,
        application: &Application<'_>,
        session: Session,
    ) -> Result<(Issued, i64), Error> {
        let trust = Document::parse_trust(&role.row.trust)
            .map_err(|_| Error::Damaged("a role's trust policy cannot be read"))?;
        if !decision::trusts(&trust, application.action, &application.applicant, application) {
            return Err(Error::NotTrusted {
                request_id: application.request_id.to_string(),
                operation: format!("sts:{}", application.action),
                role: role.resource(),
            });
        }
        // A role without a limit of its own has the platform's.
        let longest = match role.row.session_duration {
            0 => LONGEST_OF_ROLE,
            seconds => seconds.min(LONGEST_OF_ROLE),
        };
        let issued_at = self.world.unix_seconds();
        let expires_at = issued_at + duration(session.duration, USUAL_OF_ROLE, longest)?;
        let issued = self.sessions.issue(Grant {
            account: self.root(),
            principal: Principal::Role {
                id: role.id.to_string().into(),
                name: role.row.name.as_str().into(),
                session: session.name.into(),
            },
            key: None,
            issued_at,
            expires_at,
            policy: session.policy,
            tags: session.tags,
            source_identity: session.source_identity,
        })?;
        Ok((issued, expires_at))
    }
}
