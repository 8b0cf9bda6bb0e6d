//! Step 8: permission. The resources that an action touches, and whether its caller may.

use crate::call::{Caller, RequestId};
use crate::error::CommonError;
use crate::identity::{Decision, Identity};

/// The last segment of a six-segment resource name, for instance `instance/tcr-ab12cd34`. The other segments (product, region,
/// account) are the call's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource(String);

impl Resource {
    /// `*`: the action is authorised at the level of the operation.
    #[must_use]
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// The resource of that last segment.
    #[must_use]
    pub fn named(segment: impl Into<String>) -> Self {
        Self(segment.into())
    }

    /// The whole name: `qcs::tcr:ap-guangzhou:uin/100000000001:instance/tcr-ab12cd34`. An action-level resource is `*` alone.
    #[must_use]
    pub fn qualified(&self, product: &str, region: &str, caller: &Caller) -> String {
        if self.0 == "*" {
            return "*".to_owned();
        }
        format!("qcs::{product}:{region}:uin/{}:{}", caller.account.uin, self.0)
    }
}

/// A permission that was asked for, as the trace keeps it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Asked {
    /// `tcr:CreateNamespace`.
    pub operation: String,
    /// The six-segment names.
    pub resources: Vec<String>,
    /// What decided.
    pub decision: String,
}

/// Asks for the permission of one call.
pub fn check(
    identity: &dyn Identity,
    caller: &Caller,
    request_id: RequestId,
    operation: String,
    resources: Vec<String>,
) -> (Asked, Result<(), CommonError>) {
    match identity.decide(caller, &operation, &resources) {
        Decision::Allowed(decision) => (Asked { operation, resources, decision }, Ok(())),
        Decision::Denied { resource, reason } => {
            let error = CommonError::UnauthorizedOperation {
                request_id: request_id.to_string(),
                operation: operation.clone(),
                resource,
            };
            (Asked { operation, resources, decision: reason }, Err(error))
        }
    }
}
