//! `cam:ListUsersForGroup`: the members of a group, page by page.

use rookery_api::cam::{ListUsersForGroupRequest, ListUsersForGroupResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_group, scope};
use crate::cam::error::Error;
use crate::cam::{groups, pages};

pub(crate) async fn list_users_for_group(
    cam: &Cam,
    call: Call<ListUsersForGroupRequest>,
) -> Result<ListUsersForGroupResponse, Error> {
    let (scope, id) = (scope(&call), call.request.group_id);
    let members = cam.store.read(|view| {
        groups::get(view, scope.uin, id)?;
        groups::member_infos(view, scope.uin, id)
    })?;
    let (user_info, total_num) = pages::numbered(members, call.request.page, call.request.rp)?;
    Ok(ListUsersForGroupResponse { total_num, user_info })
}

pub(crate) fn resources(_: &Cam, call: &Call<ListUsersForGroupRequest>) -> Vec<Resource> {
    on_group(call.request.group_id)
}
