//! `cam:DeleteServiceLinkedRole`: ends a product's role. It is gone when the reply leaves, and the task that the reply names says so.

use rookery_api::cam::{DeleteServiceLinkedRoleRequest, DeleteServiceLinkedRoleResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_role, scope};
use crate::cam::error::Error;
use crate::cam::roles::{self, RoleDeletionRow, RoleDeletions, RoleKind, Wanted};

pub(crate) async fn delete_service_linked_role(
    cam: &Cam,
    call: Call<DeleteServiceLinkedRoleRequest>,
) -> Result<DeleteServiceLinkedRoleResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let wanted = Wanted::read(None, Some(call.request.role_name))?;
    let task = cam.world.uuid().to_string();
    let deletion_task_id = task.clone();
    cam.change(scope.uin, move |change| {
        let (id, row) = wanted.find(change.tx, scope.uin)?;
        let RoleKind::ServiceLinked { services } = row.kind else {
            return Err(Error::NotLinkedRole { role: row.name });
        };
        roles::remove(change, scope.uin, id)?;
        let deletion = RoleDeletionRow { role_name: row.name, services, at: now };
        Ok(change.tx.put::<RoleDeletions>(&scope, &task, &deletion)?)
    })
    .await?;
    Ok(DeleteServiceLinkedRoleResponse { deletion_task_id })
}

pub(crate) fn resources(cam: &Cam, call: &Call<DeleteServiceLinkedRoleRequest>) -> Vec<Resource> {
    on_role(cam, call, None, Some(&call.request.role_name))
}
