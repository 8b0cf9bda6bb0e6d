//! `tcr:CreateTagRetentionRule`: which images of a namespace stay, and when the others go.

use rookery_api::tcr::{CreateTagRetentionRuleRequest, CreateTagRetentionRuleResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::numbers::{self, Kind};
use crate::tag_retention::{self, Cron, RetentionRow, RetentionRules};

/// A namespace has one rule at most. The reply says nothing; `DescribeTagRetentionRules` tells the number.
pub(crate) async fn create_tag_retention_rule(
    tcr: &Tcr,
    call: Call<CreateTagRetentionRuleRequest>,
) -> Result<CreateTagRetentionRuleResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.world.now());
    let request = call.request;
    let cron = Cron::parse(&request.cron_setting)?;
    let items =
        tag_retention::read_items(request.retention_rule.as_ref(), request.advanced_rule_items.as_deref())?;
    let (items, advanced) = items.ok_or(Error::Missing("RetentionRule"))?;
    let (id, number, disabled) = (request.registry_id, request.namespace_id, request.disabled.unwrap_or(false));
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now.into(), instances::RETENTION)?;
            let namespace = tag_retention::namespace_of(tx, &instance, number)?;
            if !tag_retention::list(tx, &instance, Some(&namespace))?.is_empty() {
                return Err(Error::RuleTaken { namespace, code: ErrorCode::InternalErrorErrConflict });
            }
            let items = items.clone();
            let mut row = RetentionRow { namespace, cron, items, advanced, disabled, next_at: None };
            row.schedule(now);
            let rule = numbers::next(tx, &instance, Kind::RetentionRule)?;
            Ok(tx.put::<RetentionRules>(&scope, &(instance.id, rule), &row)?)
        })
        .await?;
    Ok(CreateTagRetentionRuleResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateTagRetentionRuleRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
