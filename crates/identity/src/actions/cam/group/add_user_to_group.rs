//! `cam:AddUserToGroup`: members for groups, all of them or none.

use rookery_api::cam::{AddUserToGroupRequest, AddUserToGroupResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_group, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::groups::{self, Groups, Memberships};
use crate::cam::users;

/// Who is in the group already stays in it, and that is no error.
pub(crate) async fn add_user_to_group(
    cam: &Cam,
    call: Call<AddUserToGroupRequest>,
) -> Result<AddUserToGroupResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let info = call.request.info;
    cam.change(scope.uin, move |change| {
        for info in &info {
            let group = info.group_id;
            if !change.tx.contains::<Groups>(&scope, &group)? {
                return Err(Error::NoGroupNamed { id: group });
            }
            let (uin, _) = users::either(change.tx, scope.uin, info.uin, info.uid)?;
            if change.tx.contains::<Memberships>(&scope, &(group, uin))? {
                continue;
            }
            if groups::members(change.tx, scope.uin, group)?.len() >= groups::USERS {
                return Err(Error::GroupUsersFull { limit: groups::USERS });
            }
            if groups::of_user(change.tx, uin)?.len() >= groups::GROUPS_OF_USER {
                return Err(Error::UserGroupsFull { limit: groups::GROUPS_OF_USER });
            }
            change.tx.put::<Memberships>(&scope, &(group, uin), &now)?;
            change.note(Changed::User(uin));
        }
        Ok(())
    })
    .await?;
    Ok(AddUserToGroupResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<AddUserToGroupRequest>) -> Vec<Resource> {
    call.request.info.iter().flat_map(|info| on_group(info.group_id)).collect()
}
