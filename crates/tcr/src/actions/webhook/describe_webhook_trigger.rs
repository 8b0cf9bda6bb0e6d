//! `tcr:DescribeWebhookTrigger`: the triggers of an instance or of one namespace.

use rookery_api::tcr::{DescribeWebhookTriggerRequest, DescribeWebhookTriggerResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::namespaces;
use crate::paging;
use crate::webhooks::{self, NAMESPACE_MISSING};

/// The oldest first, with their targets and headers.
pub(crate) async fn describe_webhook_trigger(
    tcr: &Tcr,
    call: Call<DescribeWebhookTriggerRequest>,
) -> Result<DescribeWebhookTriggerResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let page = paging::records(request.offset, request.limit)?;
    let namespace = request.namespace.filter(|name| !name.is_empty());
    let id = request.registry_id;
    let (found, total) = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &id, now, instances::WEBHOOKS)?;
        if let Some(namespace) = &namespace {
            namespaces::existing(view, &instance, namespace, NAMESPACE_MISSING)?;
        }
        let found = webhooks::list(view, &instance, namespace.as_deref())?;
        let total = found.len();
        let mut rows = Vec::new();
        for (trigger, row) in page.of(found) {
            let number = namespaces::find(view, &instance, &row.namespace)?.map_or(0, |found| found.number);
            rows.push((trigger, row, number));
        }
        Ok::<_, Error>((rows, total))
    })?;
    let triggers =
        found.into_iter().map(|(trigger, row, number)| row.describe(&tcr.seal, &id, trigger, number));
    let total_count = i64::try_from(total).unwrap_or(i64::MAX);
    Ok(DescribeWebhookTriggerResponse { total_count, triggers: triggers.collect::<Result<_, _>>()? })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeWebhookTriggerRequest>) -> Vec<Resource> {
    match call.request.namespace.as_deref() {
        None | Some("") => actions::on_instance(&call.request.registry_id),
        Some(namespace) => actions::on_namespace(&call.request.registry_id, namespace),
    }
}
