//! `tcr:ModifyNamespace`: who may pull, what is scanned, the tags.

use rookery_api::tcr::{ErrorCode, ModifyNamespaceRequest, ModifyNamespaceResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::cloud_tags::{CloudTags, Tagged};
use crate::error::Error;
use crate::instances;
use crate::namespaces::{self, GateChange, Namespaces};

/// What the request does not name stays as it is.
pub(crate) async fn modify_namespace(
    tcr: &Tcr,
    call: Call<ModifyNamespaceRequest>,
) -> Result<ModifyNamespaceResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let gate = GateChange {
        auto_scan: request.is_auto_scan,
        prevent: request.is_prevent_vul,
        severity: request.severity,
        allowed: request.cve_whitelist_items,
    };
    gate.check()?;
    let tags = match request.tag_specification {
        None => None,
        given => Some(CloudTags::from_request(given, Tagged::Namespace)?),
    };
    let (id, name, public) = (request.registry_id, request.namespace_name, request.is_public);
    tcr.change_access(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::CONTENT)?;
            let missing = ErrorCode::ResourceNotFoundTcrResourceNotFound;
            let mut row = namespaces::existing(tx, &instance, &name, missing)?;
            row.public = public.unwrap_or(row.public);
            gate.apply(&mut row.vulnerabilities);
            if let Some(tags) = &tags {
                row.tags = tags.clone();
            }
            Ok::<_, Error>(tx.put::<Namespaces>(&scope, &(id.clone(), name.clone()), &row)?)
        })
        .await?;
    Ok(ModifyNamespaceResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyNamespaceRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace_name)
}
