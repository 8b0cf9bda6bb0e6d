//! Why a text is no policy.

use std::fmt;

/// What kind of fault; CAM has an error code for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// More than [`crate::LIMIT`] characters.
    Length,
    /// Not JSON, not an object, or an element that the language does not have.
    Document,
    /// `version` is missing or not `2.0`.
    Version,
    /// `statement` is missing, empty or not made of objects.
    Statement,
    /// `effect` is missing or neither `allow` nor `deny`.
    Effect,
    /// `action` is missing or empty.
    ActionMissing,
    /// An action is not of the form `service:Action`.
    Action,
    /// `resource` is missing, empty or not made of texts.
    Resource,
    /// A resource does not begin with `qcs:` or has not six segments.
    ResourceQcs,
    /// The project of a resource is not empty, `*` or `id/<number>`.
    ResourceProject,
    /// The region of a resource has characters that no region has.
    ResourceRegion,
    /// The account of a resource is neither empty, `*`, `uin/<number>` nor `uid/<number>`.
    ResourceUin,
    /// The last segment of a resource is empty.
    ResourceContent,
    /// `condition` is not an object of operators and keys.
    Condition,
    /// An operator that the language does not have.
    ConditionType,
    /// A value that the operator cannot use.
    ConditionContent,
    /// `principal` is missing where it has to be, or there where it may not be, or names nobody.
    Principal,
    /// A `qcs` or `federated` principal is not a name of an account, user, role or provider.
    PrincipalQcs,
    /// A `service` principal is not the name of a service.
    PrincipalService,
}

/// A text that is no policy: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The kind.
    pub fault: Fault,
    /// Where: `statement[0].resource[1]`; empty for the document as a whole.
    pub at: String,
    /// What is wrong there.
    pub what: String,
}

impl SyntaxError {
    pub(crate) fn new(fault: Fault, at: impl Into<String>, what: impl Into<String>) -> Self {
        Self { fault, at: at.into(), what: what.into() }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() { f.write_str(&self.what) } else { write!(f, "{}: {}", self.at, self.what) }
    }
}

impl std::error::Error for SyntaxError {}
