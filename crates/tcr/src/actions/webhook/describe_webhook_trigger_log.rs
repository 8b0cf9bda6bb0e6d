//! `tcr:DescribeWebhookTriggerLog`: what was told, and what became of it.

use rookery_api::tcr::{DescribeWebhookTriggerLogRequest, DescribeWebhookTriggerLogResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::namespaces;
use crate::paging;
use crate::webhook_deliveries;
use crate::webhooks::{self, NAMESPACE_MISSING};

/// The newest first: of one trigger, or of all of the namespace. A trigger with several targets has a row for each.
pub(crate) async fn describe_webhook_trigger_log(
    tcr: &Tcr,
    call: Call<DescribeWebhookTriggerLogRequest>,
) -> Result<DescribeWebhookTriggerLogResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let page = paging::records(request.offset, request.limit)?;
    let found = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::WEBHOOKS)?;
        namespaces::existing(view, &instance, &request.namespace, NAMESPACE_MISSING)?;
        let triggers = if let Some(id) = request.id {
            webhooks::existing(view, &instance, &request.namespace, id)?;
            vec![id]
        } else {
            let found = webhooks::list(view, &instance, Some(&request.namespace))?;
            found.into_iter().map(|(id, _)| id).collect()
        };
        Ok::<_, Error>(webhook_deliveries::list(view, &instance, &triggers)?)
    })?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let logs = page.of(found).into_iter().map(|(id, row)| row.describe(id)).collect();
    Ok(DescribeWebhookTriggerLogResponse { total_count, logs })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeWebhookTriggerLogRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace)
}
