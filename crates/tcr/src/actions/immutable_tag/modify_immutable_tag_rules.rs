//! `tcr:ModifyImmutableTagRules`: another rule in the place of a namespace's.

use rookery_api::tcr::{ErrorCode, ModifyImmutableTagRulesRequest, ModifyImmutableTagRulesResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::immutable_tags::{self, ImmutableRow, ImmutableRules};
use crate::instances;

/// The whole rule is replaced; where it does not say whether it is disabled, that stays as it is.
pub(crate) async fn modify_immutable_tag_rules(
    tcr: &Tcr,
    call: Call<ModifyImmutableTagRulesRequest>,
) -> Result<ModifyImmutableTagRulesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let (id, namespace, rule_id) = (request.registry_id, request.namespace_name, request.rule_id);
    let (row, disabled) = (ImmutableRow::read(rule_id, &request.rule)?, request.rule.disabled);
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::IMMUTABLE)?;
            let missing = ErrorCode::InvalidParameterErrorTcrInvalidParameter;
            let before = immutable_tags::existing(tx, &instance, &namespace, rule_id, missing)?;
            let row = ImmutableRow { disabled: disabled.unwrap_or(before.disabled), ..row.clone() };
            Ok::<_, Error>(tx.put::<ImmutableRules>(&scope, &(id.clone(), namespace.clone()), &row)?)
        })
        .await?;
    Ok(ModifyImmutableTagRulesResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyImmutableTagRulesRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace_name)
}
