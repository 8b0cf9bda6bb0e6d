//! `tcr:DeleteNamespace`: a namespace without repositories.

use rookery_api::tcr::{DeleteNamespaceRequest, DeleteNamespaceResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_registry::{Origin, RegistryId};
use rookery_store::Read;

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::immutable_tags::ImmutableRules;
use crate::instances;
use crate::namespaces::{self, Namespaces};
use crate::repositories::{self, Repositories};
use crate::signature_policies::SignaturePolicies;
use crate::tag_retention;
use crate::webhooks;

/// Its signature policy, its rules and its triggers go with it, and what uploads without a manifest have left in the registry.
pub(crate) async fn delete_namespace(
    tcr: &Tcr,
    call: Call<DeleteNamespaceRequest>,
) -> Result<DeleteNamespaceResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let (registry, namespace) = (RegistryId::new(request.registry_id.as_str()), request.namespace_name.clone());
    let (id, name) = (request.registry_id, request.namespace_name);
    tcr.change_access(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::CONTENT)?;
            namespaces::existing(tx, &instance, &name, ErrorCode::ResourceNotFoundTcrResourceNotFound)?;
            let repositories = repositories::scan_of(&instance, Some(&name)).limit(1);
            if tx.count::<Repositories>(&scope, repositories)? > 0 {
                return Err(Error::NamespaceNotEmpty(name.clone()));
            }
            let key = (id.clone(), name.clone());
            tx.delete::<SignaturePolicies>(&scope, &key)?;
            tx.delete::<ImmutableRules>(&scope, &key)?;
            tag_retention::delete_of(tx, &instance, &name)?;
            for (trigger, _) in webhooks::list(tx, &instance, Some(&name))? {
                webhooks::delete(tx, &instance, trigger)?;
            }
            tx.delete::<Namespaces>(&scope, &key)?;
            Ok(())
        })
        .await?;
    tcr.pull_listeners.refresh(&tcr.store)?;
    tcr.registry.remove_repositories(&registry, &namespace, Origin::Internal).await?;
    Ok(DeleteNamespaceResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteNamespaceRequest>) -> Vec<Resource> {
    actions::on_namespace(&call.request.registry_id, &call.request.namespace_name)
}
