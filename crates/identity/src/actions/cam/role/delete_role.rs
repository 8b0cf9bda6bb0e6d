//! `cam:DeleteRole`: ends a role; the keys that were given for it open nothing from the next request on.

use rookery_api::cam::{DeleteRoleRequest, DeleteRoleResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::error::Error;
use crate::cam::roles::{self, Wanted};

pub(crate) async fn delete_role(
    cam: &Cam,
    call: Call<DeleteRoleRequest>,
) -> Result<DeleteRoleResponse, Error> {
    let account = call.caller.account.uin;
    let wanted = Wanted::read(call.request.role_id, call.request.role_name)?;
    cam.change(account, move |change| {
        let (id, row) = wanted.find(change.tx, account)?;
        if row.is_linked() {
            return Err(Error::LinkedRole { role: row.name });
        }
        roles::remove(change, account, id)
    })
    .await?;
    Ok(DeleteRoleResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<DeleteRoleRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.role_id.as_deref(), call.request.role_name.as_deref())
}
