//! `cam:GetRole`: one role by number or name.

use rookery_api::cam::{GetRoleRequest, GetRoleResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::error::Error;
use crate::cam::roles::{self, Wanted};

pub(crate) async fn get_role(cam: &Cam, call: Call<GetRoleRequest>) -> Result<GetRoleResponse, Error> {
    let account = call.caller.account.uin;
    let wanted = Wanted::read(call.request.role_id, call.request.role_name)?;
    let (id, row) = cam.store.read(|view| wanted.find(view, account))?;
    Ok(GetRoleResponse { role_info: roles::info(account, id, row) })
}

pub(crate) fn resources(cam: &Cam, call: &Call<GetRoleRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.role_id.as_deref(), call.request.role_name.as_deref())
}
