//! `tcr:ModifyTagRetentionRule`: another schedule, other items, or an end to both.

use rookery_api::tcr::{ErrorCode, ModifyTagRetentionRuleRequest, ModifyTagRetentionRuleResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances;
use crate::tag_retention::{self, Cron, RetentionRules};

const NAMESPACE: Rule =
    Rule { english: "must be the namespace that the rule was made for", chinese: "须为该规则所属的命名空间" };

/// `NamespaceId` has to be the rule's own. Items and state stay as they are where the request has none.
pub(crate) async fn modify_tag_retention_rule(
    tcr: &Tcr,
    call: Call<ModifyTagRetentionRuleRequest>,
) -> Result<ModifyTagRetentionRuleResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.world.now());
    let request = call.request;
    let cron = Cron::parse(&request.cron_setting)?;
    let items =
        tag_retention::read_items(request.retention_rule.as_ref(), request.advanced_rule_items.as_deref())?;
    let (id, number, rule, disabled) =
        (request.registry_id, request.namespace_id, request.retention_id, request.disabled);
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now.into(), instances::RETENTION)?;
            let namespace = tag_retention::namespace_of(tx, &instance, number)?;
            let mut row =
                tag_retention::existing(tx, &instance, rule, ErrorCode::InternalErrorErrNotExist)?;
            if row.namespace != namespace {
                let code = ErrorCode::InvalidParameterErrorTcrInvalidParameter;
                return Err(Error::Invalid { parameter: "NamespaceId", rule: NAMESPACE, code });
            }
            row.cron = cron;
            row.disabled = disabled.unwrap_or(row.disabled);
            if let Some((items, advanced)) = &items {
                (row.items, row.advanced) = (items.clone(), *advanced);
            }
            row.schedule(now);
            Ok(tx.put::<RetentionRules>(&scope, &(instance.id, rule), &row)?)
        })
        .await?;
    Ok(ModifyTagRetentionRuleResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyTagRetentionRuleRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
