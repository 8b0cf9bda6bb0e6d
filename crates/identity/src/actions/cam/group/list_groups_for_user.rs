//! `cam:ListGroupsForUser`: the groups that a sub-user is in.

use rookery_api::cam::{ListGroupsForUserRequest, ListGroupsForUserResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_all, on_user, scope};
use crate::cam::error::Error;
use crate::cam::{groups, pages, users};

pub(crate) async fn list_groups_for_user(
    cam: &Cam,
    call: Call<ListGroupsForUserRequest>,
) -> Result<ListGroupsForUserResponse, Error> {
    let scope = scope(&call);
    let request = call.request;
    let rows = cam.store.read(|view| {
        let (uin, _) =
            users::either(view, scope.uin, request.sub_uin, request.uid).map_err(|error| match error {
                Error::NeitherUinNorUid => {
                    Error::Parameter { parameter: "SubUin", rule: "or `Uid` must be given" }
                }
                error => error,
            })?;
        let ids = groups::of_user(view, uin)?;
        ids.into_iter()
            .map(|id| Ok((id, groups::get(view, scope.uin, id)?)))
            .collect::<Result<Vec<_>, Error>>()
    })?;
    let (rows, total_num) = pages::numbered(rows, request.page, request.rp)?;
    let group_info = rows.into_iter().map(|(id, row)| groups::info(id, row)).collect();
    Ok(ListGroupsForUserResponse { total_num, group_info })
}

pub(crate) fn resources(_: &Cam, call: &Call<ListGroupsForUserRequest>) -> Vec<Resource> {
    call.request.sub_uin.map_or_else(on_all, on_user)
}
