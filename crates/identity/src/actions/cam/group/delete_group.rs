//! `cam:DeleteGroup`: ends a group; its members lose what it gave them at once.

use rookery_api::cam::{DeleteGroupRequest, DeleteGroupResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_group, scope};
use crate::cam::attachments::{self, Entity};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::groups::{self, Groups, Memberships};

pub(crate) async fn delete_group(
    cam: &Cam,
    call: Call<DeleteGroupRequest>,
) -> Result<DeleteGroupResponse, Error> {
    let (scope, id) = (scope(&call), call.request.group_id);
    cam.change(scope.uin, move |change| {
        groups::get(change.tx, scope.uin, id)?;
        for (uin, _) in groups::members(change.tx, scope.uin, id)? {
            change.tx.delete::<Memberships>(&scope, &(id, uin))?;
            change.note(Changed::User(uin));
        }
        attachments::detach_all(change, scope.uin, Entity::Group(id))?;
        change.tx.delete::<Groups>(&scope, &id)?;
        change.note(Changed::Group(id));
        Ok(())
    })
    .await?;
    Ok(DeleteGroupResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<DeleteGroupRequest>) -> Vec<Resource> {
    on_group(call.request.group_id)
}
