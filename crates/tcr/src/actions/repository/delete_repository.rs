//! `tcr:DeleteRepository`: a repository, with or without what is in it.

use rookery_api::tcr::{DeleteRepositoryRequest, DeleteRepositoryResponse};
use rookery_gateway::{Call, Resource};
use rookery_registry::Origin;

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::repositories::{self, Repositories};

/// `ForceDelete` is on unless the request turns it off; then only a repository without manifests goes.
pub(crate) async fn delete_repository(
    tcr: &Tcr,
    call: Call<DeleteRepositoryRequest>,
) -> Result<DeleteRepositoryResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let id = request.registry_id;
    let name = repositories::whole_name(&request.namespace_name, &request.repository_name);
    let instance = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &id, now, instances::CONTENT)?;
        repositories::existing(view, &instance, &name)?;
        Ok::<_, Error>(instance)
    })?;
    let repository = repositories::registry_name(&instance, &name)?;
    if !request.force_delete.unwrap_or(true) && tcr.registry.repository_totals(&repository)?.manifests > 0 {
        return Err(Error::RepositoryNotEmpty);
    }
    // The transaction that takes the content away takes the product's rows along.
    if !tcr.registry.delete_repository(&repository, Origin::Internal).await? {
        // One that the registry never heard of has a row here only.
        tcr.store
            .write(move |tx| tx.delete::<Repositories>(&scope, &(id.clone(), name.clone())).map(drop))
            .await?;
    }
    Ok(DeleteRepositoryResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteRepositoryRequest>) -> Vec<Resource> {
    actions::on_repository(&call.request.registry_id, &call.request.namespace_name, &call.request.repository_name)
}
