//! `tcr:CreateWebhookTrigger`: tell the events of a namespace to somebody.

use rookery_api::tcr::{CreateWebhookTriggerRequest, CreateWebhookTriggerResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::namespaces;
use crate::numbers::{self, Kind};
use crate::webhooks::{NAMESPACE_MISSING, TriggerRow, WebhookTriggers};

/// The reply has the trigger as it is kept, with its number. What the request says of numbers is the cloud's to say, and not looked at.
pub(crate) async fn create_webhook_trigger(
    tcr: &Tcr,
    call: Call<CreateWebhookTriggerRequest>,
) -> Result<CreateWebhookTriggerResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let (id, namespace) = (request.registry_id, request.namespace);
    let product = request.product.as_deref();
    let region = request.preheat_region.as_deref();
    let row = TriggerRow::read(&tcr.seal, &id, &namespace, &request.trigger, product, region)?;
    let (made, registry) = (row.clone(), id.clone());
    let (trigger, number) = tcr
        .store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::WEBHOOKS)?;
            let found = namespaces::existing(tx, &instance, &namespace, NAMESPACE_MISSING)?;
            let trigger = numbers::next(tx, &instance, Kind::WebhookTrigger)?;
            tx.put::<WebhookTriggers>(&scope, &(id.clone(), trigger), &made)?;
            Ok::<_, Error>((trigger, found.number))
        })
        .await?;
    tcr.pull_listeners.refresh(&tcr.store)?;
    Ok(CreateWebhookTriggerResponse { trigger: row.describe(&tcr.seal, &registry, trigger, number)? })
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateWebhookTriggerRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace)
}
