//! `cam:UpdateGroup`: renames or describes a group.

use rookery_api::cam::{UpdateGroupRequest, UpdateGroupResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_group, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::groups::{self, ByName, Groups};
use crate::cam::names;

pub(crate) async fn update_group(
    cam: &Cam,
    call: Call<UpdateGroupRequest>,
) -> Result<UpdateGroupResponse, Error> {
    let scope = scope(&call);
    let id = call.request.group_id;
    let name = call.request.group_name.filter(|name| !name.is_empty());
    if let Some(name) = &name {
        names::free("GroupName", name)?;
    }
    let remark = call.request.remark.map(|remark| names::description(Some(remark))).transpose()?;
    cam.change(scope.uin, move |change| {
        let mut row = groups::get(change.tx, scope.uin, id)?;
        if let Some(name) = &name {
            let taken = change.tx.find::<ByName>(&(scope.uin, name.clone()))?;
            if taken.is_some_and(|(_, other, _)| other != id) {
                return Err(Error::GroupNameTaken { name: name.clone() });
            }
            row.name.clone_from(name);
        }
        row.remark = remark.clone().unwrap_or(row.remark);
        change.tx.put::<Groups>(&scope, &id, &row)?;
        change.note(Changed::Group(id));
        Ok(())
    })
    .await?;
    Ok(UpdateGroupResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<UpdateGroupRequest>) -> Vec<Resource> {
    on_group(call.request.group_id)
}
