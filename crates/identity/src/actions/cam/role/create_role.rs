//! `cam:CreateRole`: a role, and who may assume it.

use rookery_api::cam::{CreateRoleRequest, CreateRoleResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::roles::{self, RoleKind, RoleRow, USUAL_SESSION};
use crate::cam::{documents, names};

pub(crate) async fn create_role(
    cam: &Cam,
    call: Call<CreateRoleRequest>,
) -> Result<CreateRoleResponse, Error> {
    let (account, now) = (call.caller.account.uin, cam.world.unix_seconds());
    let request = call.request;
    names::role(&request.role_name)?;
    let tags = request.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value));
    let row = RoleRow {
        trust: documents::trust(&request.policy_document)?,
        name: request.role_name,
        description: names::description(request.description)?,
        created_at: now,
        updated_at: now,
        console_login: names::flag("ConsoleLogin", request.console_login)?.unwrap_or(false),
        session_duration: roles::session_duration(request.session_duration.unwrap_or(USUAL_SESSION))?,
        kind: RoleKind::User,
        boundary: None,
        tags: names::tags(tags)?,
    };
    let id = cam
        .change(account, move |change| {
            roles::check_trusted(change.tx, account, &row.trust)?;
            roles::create(change, account, &row)
        })
        .await?;
    Ok(CreateRoleResponse { role_id: id.to_string() })
}

pub(crate) fn resources(_: &Cam, _: &Call<CreateRoleRequest>) -> Vec<Resource> {
    on_all()
}
