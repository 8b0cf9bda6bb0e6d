//! `tag:UpdateProject`: renames, describes, disables or enables a project.

use rookery_api::tag::{UpdateProjectRequest, UpdateProjectResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Account, Read};

use super::add_project::checked_name;
use crate::Tags;
use crate::actions::on_all;
use crate::error::Error;
use crate::projects::{self, Projects};

/// A disabled project has to be enabled before anything else of it changes.
pub(crate) async fn update_project(
    tags: &Tags,
    call: Call<UpdateProjectRequest>,
) -> Result<UpdateProjectResponse, Error> {
    let scope = Account { uin: call.caller.account.uin };
    let UpdateProjectRequest { project_id: id, project_name, disable, info } = call.request;
    let name = project_name.filter(|name| !name.is_empty()).map(checked_name).transpose()?;
    let disabled = match disable {
        None => None,
        Some(0) => Some(false),
        Some(1) => Some(true),
        Some(_) => return Err(Error::Parameter { parameter: "Disable", rule: "must be 0 or 1" }),
    };
    tags.store
        .write(move |tx| {
            let mut row = tx.get::<Projects>(&scope, &id)?.ok_or(Error::NoProject { id })?;
            if row.disabled && disabled != Some(false) {
                return if disabled == Some(true) && name.is_none() && info.is_none() {
                    Ok(())
                } else {
                    Err(Error::ProjectDisabled { id })
                };
            }
            if let Some(name) = &name {
                if projects::named(tx, scope.uin, name)?.is_some_and(|other| other != id) {
                    return Err(Error::ProjectTaken { name: name.clone() });
                }
                row.name.clone_from(name);
            }
            row.info = info.clone().unwrap_or(row.info);
            row.disabled = disabled.unwrap_or(row.disabled);
            Ok(tx.put::<Projects>(&scope, &id, &row)?)
        })
        .await?;
    Ok(UpdateProjectResponse::default())
}

pub(crate) fn resources(_: &Tags, _: &Call<UpdateProjectRequest>) -> Vec<Resource> {
    on_all()
}
