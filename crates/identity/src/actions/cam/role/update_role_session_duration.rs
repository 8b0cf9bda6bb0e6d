//! `cam:UpdateRoleSessionDuration`: how long the temporary keys of a role last at most.

use rookery_api::cam::{UpdateRoleSessionDurationRequest, UpdateRoleSessionDurationResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::error::Error;
use crate::cam::roles::{self, Wanted};

pub(crate) async fn update_role_session_duration(
    cam: &Cam,
    call: Call<UpdateRoleSessionDurationRequest>,
) -> Result<UpdateRoleSessionDurationResponse, Error> {
    let (account, now) = (call.caller.account.uin, cam.world.unix_seconds());
    let wanted = Wanted::read(call.request.role_id.map(|id| id.to_string()), call.request.role_name)?;
    let duration = roles::session_duration(call.request.session_duration)?;
    cam.change(account, move |change| {
        roles::update(change, account, &wanted, now, |row| {
            row.session_duration = duration;
            Ok(())
        })
    })
    .await?;
    Ok(UpdateRoleSessionDurationResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<UpdateRoleSessionDurationRequest>) -> Vec<Resource> {
    let id = call.request.role_id.map(|id| id.to_string());
    on_role(cam, call, id.as_deref(), call.request.role_name.as_deref())
}
