//! `tag:AddProject`: a project.

use rookery_api::tag::{AddProjectRequest, AddProjectResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Account, Read, Scan};

use crate::Tags;
use crate::actions::on_all;
use crate::error::Error;
use crate::projects::{self, PROJECTS, ProjectRow, Projects};

pub(crate) async fn add_project(
    tags: &Tags,
    call: Call<AddProjectRequest>,
) -> Result<AddProjectResponse, Error> {
    let scope = Account { uin: call.caller.account.uin };
    let row = ProjectRow {
        name: checked_name(call.request.project_name)?,
        info: call.request.info.unwrap_or_default(),
        creator: call.caller.uin(),
        created_at: tags.world.unix_seconds(),
        disabled: false,
    };
    let project_id = tags
        .store
        .write(move |tx| {
            if projects::named(tx, scope.uin, &row.name)?.is_some() {
                return Err(Error::ProjectTaken { name: row.name.clone() });
            }
            if tx.count::<Projects>(&scope, Scan::all())? >= PROJECTS {
                return Err(Error::ProjectsFull { limit: PROJECTS });
            }
            let id = projects::next(tx, scope.uin)?;
            tx.put::<Projects>(&scope, &id, &row)?;
            Ok(id)
        })
        .await?;
    Ok(AddProjectResponse { project_id, is_new: 1 })
}

/// A name of 1 to 128 characters.
pub(crate) fn checked_name(name: String) -> Result<String, Error> {
    let legal = (1..=128).contains(&name.chars().count())
        && !name.trim().is_empty()
        && !name.chars().any(char::is_control);
    if legal {
        Ok(name)
    } else {
        Err(Error::Failed { what: "`ProjectName` must have 1 to 128 characters".to_owned() })
    }
}

pub(crate) fn resources(_: &Tags, _: &Call<AddProjectRequest>) -> Vec<Resource> {
    on_all()
}
