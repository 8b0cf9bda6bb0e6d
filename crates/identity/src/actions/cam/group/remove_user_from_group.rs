//! `cam:RemoveUserFromGroup`: takes members out of groups, all of them or none.

use rookery_api::cam::{RemoveUserFromGroupRequest, RemoveUserFromGroupResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_group, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::groups::{self, Memberships};
use crate::cam::users;

/// Who is not in the group is no error: what was asked for is so.
pub(crate) async fn remove_user_from_group(
    cam: &Cam,
    call: Call<RemoveUserFromGroupRequest>,
) -> Result<RemoveUserFromGroupResponse, Error> {
    let scope = scope(&call);
    let info = call.request.info;
    cam.change(scope.uin, move |change| {
        for info in &info {
            groups::get(change.tx, scope.uin, info.group_id)?;
            let (uin, _) = users::either(change.tx, scope.uin, info.uin, info.uid)?;
            if change.tx.delete::<Memberships>(&scope, &(info.group_id, uin))? {
                change.note(Changed::User(uin));
            }
        }
        Ok(())
    })
    .await?;
    Ok(RemoveUserFromGroupResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<RemoveUserFromGroupRequest>) -> Vec<Resource> {
    call.request.info.iter().flat_map(|info| on_group(info.group_id)).collect()
}
