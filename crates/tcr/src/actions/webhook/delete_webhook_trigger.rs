//! `tcr:DeleteWebhookTrigger`: nobody is told any more.

use rookery_api::tcr::{DeleteWebhookTriggerRequest, DeleteWebhookTriggerResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::webhooks;

/// What waits to be sent goes with it, and the log.
pub(crate) async fn delete_webhook_trigger(
    tcr: &Tcr,
    call: Call<DeleteWebhookTriggerRequest>,
) -> Result<DeleteWebhookTriggerResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let DeleteWebhookTriggerRequest { registry_id: id, namespace, id: trigger } = call.request;
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::WEBHOOKS)?;
            webhooks::existing(tx, &instance, &namespace, trigger)?;
            Ok::<_, Error>(webhooks::delete(tx, &instance, trigger)?)
        })
        .await?;
    tcr.pull_listeners.refresh(&tcr.store)?;
    Ok(DeleteWebhookTriggerResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteWebhookTriggerRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace)
}
