//! `tcr:ModifyRepository`: the descriptions of a repository.

use rookery_api::tcr::{ErrorCode, ModifyRepositoryRequest, ModifyRepositoryResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::repositories::{self, Repositories, RepositoryRow};

/// Both descriptions are required, so both are replaced.
pub(crate) async fn modify_repository(
    tcr: &Tcr,
    call: Call<ModifyRepositoryRequest>,
) -> Result<ModifyRepositoryResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let (brief, description) = (request.brief_description, request.description);
    repositories::check_descriptions(&brief, &description, ErrorCode::InvalidParameter)?;
    let id = request.registry_id;
    let name = repositories::whole_name(&request.namespace_name, &request.repository_name);
    tcr.store
        .write(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::CONTENT)?;
            let row = repositories::existing(tx, &instance, &name)?;
            let row = RepositoryRow {
                brief: brief.clone(),
                description: description.clone(),
                updated_at: now,
                ..row
            };
            Ok::<_, Error>(tx.put::<Repositories>(&scope, &(id.clone(), name.clone()), &row)?)
        })
        .await?;
    Ok(ModifyRepositoryResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyRepositoryRequest>) -> Vec<Resource> {
    actions::on_repository(&call.request.registry_id, &call.request.namespace_name, &call.request.repository_name)
}
