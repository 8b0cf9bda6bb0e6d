//! `tcr:CreateImmutableTagRules`: the rule of a namespace about the tags that keep what they name.

use rookery_api::tcr::{CreateImmutableTagRulesRequest, CreateImmutableTagRulesResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::immutable_tags::{ImmutableRow, ImmutableRules};
use crate::instances;
use crate::namespaces;
use crate::numbers::{self, Kind};

/// A namespace has one rule at most. What `Rule` says of its own number and namespace is the cloud's to say, and not looked at.
pub(crate) async fn create_immutable_tag_rules(
    tcr: &Tcr,
    call: Call<CreateImmutableTagRulesRequest>,
) -> Result<CreateImmutableTagRulesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let CreateImmutableTagRulesRequest { registry_id: id, namespace_name: namespace, rule } = call.request;
    let row = ImmutableRow::read(0, &rule)?;
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::IMMUTABLE)?;
            namespaces::existing(tx, &instance, &namespace, ErrorCode::ResourceNotFound)?;
            let key = (id.clone(), namespace.clone());
            if tx.contains::<ImmutableRules>(&scope, &key)? {
                let code = ErrorCode::InternalErrorErrorTcrResourceConflict;
                return Err(Error::RuleTaken { namespace: namespace.clone(), code });
            }
            let row = ImmutableRow { id: numbers::next(tx, &instance, Kind::ImmutableRule)?, ..row.clone() };
            Ok(tx.put::<ImmutableRules>(&scope, &key, &row)?)
        })
        .await?;
    Ok(CreateImmutableTagRulesResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateImmutableTagRulesRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace_name)
}
