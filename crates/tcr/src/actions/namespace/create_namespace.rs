//! `tcr:CreateNamespace`: a namespace of an instance.

use rookery_api::tcr::{CreateNamespaceRequest, CreateNamespaceResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::cloud_tags::{CloudTags, Tagged};
use crate::error::Error;
use crate::instances;
use crate::names;
use crate::namespaces::{self, GateChange, NamespaceRow, VulnerabilityGate};

/// The reply says nothing; `DescribeNamespaces` tells the number.
pub(crate) async fn create_namespace(
    tcr: &Tcr,
    call: Call<CreateNamespaceRequest>,
) -> Result<CreateNamespaceResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let name = request.namespace_name;
    if !names::namespace(&name) {
        return Err(Error::Invalid {
            parameter: "NamespaceName",
            rule: names::NAMESPACE,
            code: ErrorCode::InvalidParameterErrorTcrInvalidParameter,
        });
    }
    let gate = GateChange {
        auto_scan: request.is_auto_scan,
        prevent: request.is_prevent_vul,
        severity: request.severity,
        allowed: request.cve_whitelist_items,
    };
    gate.check()?;
    let mut vulnerabilities = VulnerabilityGate::default();
    gate.apply(&mut vulnerabilities);
    let tags = CloudTags::from_request(request.tag_specification, Tagged::Namespace)?;
    let (id, public) = (request.registry_id, request.is_public);
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::CONTENT)?;
            if namespaces::find(tx, &instance, &name)?.is_some() {
                return Err(Error::NamespaceTaken(name.clone()));
            }
            let row = NamespaceRow {
                number: 0,
                created_at: now,
                public,
                vulnerabilities: vulnerabilities.clone(),
                tags: tags.clone(),
            };
            namespaces::create(tx, instance, &name, row)
        })
        .await?;
    Ok(CreateNamespaceResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateNamespaceRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace_name)
}
