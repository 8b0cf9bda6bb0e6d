//! `tcr:CreateRepository`: an empty repository with descriptions.

use rookery_api::tcr::{CreateRepositoryRequest, CreateRepositoryResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::names;
use crate::namespaces;
use crate::repositories::{self, RepositoryRow};

/// A push to a new name makes a repository as well, so this is for those who want to say something about it.
pub(crate) async fn create_repository(
    tcr: &Tcr,
    call: Call<CreateRepositoryRequest>,
) -> Result<CreateRepositoryResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let code = ErrorCode::InvalidParameterErrorTcrInvalidParameter;
    let (namespace, name) = (request.namespace_name, request.repository_name);
    if !names::repository(&namespace, &name) {
        return Err(Error::Invalid { parameter: "RepositoryName", rule: names::REPOSITORY, code });
    }
    let row = RepositoryRow {
        brief: request.brief_description.unwrap_or_default(),
        description: request.description.unwrap_or_default(),
        ..RepositoryRow::new(now)
    };
    repositories::check_descriptions(&row.brief, &row.description, code)?;
    let (id, name) = (request.registry_id, repositories::whole_name(&namespace, &name));
    let made = name.clone();
    let instance = tcr
        .store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::CONTENT)?;
            namespaces::existing(tx, &instance, &namespace, ErrorCode::ResourceNotFound)?;
            if repositories::find(tx, &instance, &made)?.is_some() {
                return Err(Error::RepositoryTaken(made.clone()));
            }
            repositories::create(tx, &instance, &made, &row)?;
            Ok(instance)
        })
        .await?;
    // So that its list of tags is empty instead of unknown.
    tcr.registry.create_repository(&repositories::registry_name(&instance, &name)?).await?;
    Ok(CreateRepositoryResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateRepositoryRequest>) -> Vec<Resource> {
    actions::on_repository(&call.request.registry_id, &call.request.namespace_name, &call.request.repository_name)
}
