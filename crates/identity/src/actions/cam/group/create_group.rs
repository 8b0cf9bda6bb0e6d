//! `cam:CreateGroup`: a group of sub-users.

use rookery_api::cam::{CreateGroupRequest, CreateGroupResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::groups::{self, ByName, GroupRow, Groups};
use crate::cam::names;
use crate::cam::numbers::{self, Numbered};

pub(crate) async fn create_group(
    cam: &Cam,
    call: Call<CreateGroupRequest>,
) -> Result<CreateGroupResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    names::free("GroupName", &call.request.group_name)?;
    let remark = names::description(call.request.remark)?;
    let row = GroupRow { name: call.request.group_name, remark, created_at: now };
    let group_id = cam
        .change(scope.uin, move |change| {
            if change.tx.find::<ByName>(&(scope.uin, row.name.clone()))?.is_some() {
                return Err(Error::GroupNameTaken { name: row.name.clone() });
            }
            if change.tx.count::<Groups>(&scope, Scan::all())? >= groups::GROUPS {
                return Err(Error::GroupsFull { limit: groups::GROUPS });
            }
            let id = numbers::next(change.tx, Numbered::Group)?;
            change.tx.put::<Groups>(&scope, &id, &row)?;
            change.note(Changed::Group(id));
            Ok(id)
        })
        .await?;
    Ok(CreateGroupResponse { group_id })
}

pub(crate) fn resources(_: &Cam, _: &Call<CreateGroupRequest>) -> Vec<Resource> {
    on_all()
}
