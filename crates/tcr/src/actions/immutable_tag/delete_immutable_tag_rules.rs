//! `tcr:DeleteImmutableTagRules`: the tags of a namespace may change again.

use rookery_api::tcr::{DeleteImmutableTagRulesRequest, DeleteImmutableTagRulesResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::immutable_tags::{self, ImmutableRules};
use crate::instances;

pub(crate) async fn delete_immutable_tag_rules(
    tcr: &Tcr,
    call: Call<DeleteImmutableTagRulesRequest>,
) -> Result<DeleteImmutableTagRulesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let DeleteImmutableTagRulesRequest { registry_id: id, namespace_name: namespace, rule_id } = call.request;
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::IMMUTABLE)?;
            immutable_tags::existing(tx, &instance, &namespace, rule_id, ErrorCode::ResourceNotFound)?;
            tx.delete::<ImmutableRules>(&scope, &(id.clone(), namespace.clone()))?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(DeleteImmutableTagRulesResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteImmutableTagRulesRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace_name)
}
