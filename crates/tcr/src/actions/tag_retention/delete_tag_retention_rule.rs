//! `tcr:DeleteTagRetentionRule`: a rule with the records of its runs.

use rookery_api::tcr::{DeleteTagRetentionRuleRequest, DeleteTagRetentionRuleResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::tag_retention;

pub(crate) async fn delete_tag_retention_rule(
    tcr: &Tcr,
    call: Call<DeleteTagRetentionRuleRequest>,
) -> Result<DeleteTagRetentionRuleResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let DeleteTagRetentionRuleRequest { registry_id: id, retention_id: rule } = call.request;
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::RETENTION)?;
            tag_retention::existing(tx, &instance, rule, ErrorCode::InternalErrorErrNotExist)?;
            Ok::<_, Error>(tag_retention::delete(tx, &instance, rule)?)
        })
        .await?;
    Ok(DeleteTagRetentionRuleResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteTagRetentionRuleRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
