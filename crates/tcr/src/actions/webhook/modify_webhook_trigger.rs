//! `tcr:ModifyWebhookTrigger`: another trigger in the place of one.

use rookery_api::tcr::{ModifyWebhookTriggerRequest, ModifyWebhookTriggerResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::webhooks::{self, TriggerRow, WebhookTriggers};

/// `Trigger.Id` says which; the rest of `Trigger` replaces it. What waits to be sent goes to the new targets.
pub(crate) async fn modify_webhook_trigger(
    tcr: &Tcr,
    call: Call<ModifyWebhookTriggerRequest>,
) -> Result<ModifyWebhookTriggerResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let (id, namespace) = (request.registry_id, request.namespace);
    let trigger = request.trigger.id.ok_or_else(webhooks::without_id)?;
    let product = request.product.as_deref();
    let region = request.preheat_region.as_deref();
    let row = TriggerRow::read(&tcr.seal, &id, &namespace, &request.trigger, product, region)?;
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::WEBHOOKS)?;
            webhooks::existing(tx, &instance, &namespace, trigger)?;
            Ok::<_, Error>(tx.put::<WebhookTriggers>(&scope, &(id.clone(), trigger), &row)?)
        })
        .await?;
    tcr.pull_listeners.refresh(&tcr.store)?;
    Ok(ModifyWebhookTriggerResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyWebhookTriggerRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace)
}
