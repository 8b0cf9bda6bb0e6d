//! `cam:UpdateRoleDescription`: what a role is for.

use rookery_api::cam::{UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::roles::{self, Wanted};

pub(crate) async fn update_role_description(
    cam: &Cam,
    call: Call<UpdateRoleDescriptionRequest>,
) -> Result<UpdateRoleDescriptionResponse, Error> {
    let (account, now) = (call.caller.account.uin, cam.world.unix_seconds());
    let wanted = Wanted::read(call.request.role_id, call.request.role_name)?;
    let description = names::description(Some(call.request.description))?;
    cam.change(account, move |change| {
        roles::update(change, account, &wanted, now, |row| {
            row.description.clone_from(&description);
            Ok(())
        })
    })
    .await?;
    Ok(UpdateRoleDescriptionResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<UpdateRoleDescriptionRequest>) -> Vec<Resource> {
    on_role(cam, call, call.request.role_id.as_deref(), call.request.role_name.as_deref())
}
