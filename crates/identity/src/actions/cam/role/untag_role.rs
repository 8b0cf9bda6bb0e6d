//! `cam:UntagRole`: takes tags of a role away; keys that it does not have are no error.

use rookery_api::cam::{UntagRoleRequest, UntagRoleResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::error::Error;
use crate::cam::roles::{self, Wanted};

pub(crate) async fn untag_role(cam: &Cam, call: Call<UntagRoleRequest>) -> Result<UntagRoleResponse, Error> {
    let (account, now) = (call.caller.account.uin, cam.world.unix_seconds());
    let wanted = Wanted::read(call.request.role_id, call.request.role_name)?;
    let keys = call.request.tag_keys;
    if keys.is_empty() || keys.iter().any(String::is_empty) {
        return Err(Error::Tag { rule: "there must be a key, and none may be empty" });
    }
    cam.change(account, move |change| {
        roles::update(change, account, &wanted, now, |row| {
            row.tags.retain(|(key, _)| !keys.contains(key));
            Ok(())
        })
    })
    .await?;
    Ok(UntagRoleResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<UntagRoleRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.role_id.as_deref(), call.request.role_name.as_deref())
}
