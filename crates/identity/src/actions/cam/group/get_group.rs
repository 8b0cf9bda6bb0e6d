//! `cam:GetGroup`: one group with its members.

use rookery_api::cam::{GetGroupRequest, GetGroupResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_group, scope};
use crate::cam::error::Error;
use crate::cam::{groups, moments};

pub(crate) async fn get_group(cam: &Cam, call: Call<GetGroupRequest>) -> Result<GetGroupResponse, Error> {
    let (scope, id) = (scope(&call), call.request.group_id);
    let (row, members) = cam.store.read(|view| {
        let row = groups::get(view, scope.uin, id)?;
        Ok::<_, Error>((row, groups::member_infos(view, scope.uin, id)?))
    })?;
    Ok(GetGroupResponse {
        group_id: id,
        group_name: row.name,
        group_num: members.len() as u64,
        remark: row.remark,
        create_time: moments::local(row.created_at),
        user_info: members,
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<GetGroupRequest>) -> Vec<Resource> {
    on_group(call.request.group_id)
}
