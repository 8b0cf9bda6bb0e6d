//! `cam:UpdateRoleConsoleLogin`: whether a role may be used in the console.

use rookery_api::cam::{UpdateRoleConsoleLoginRequest, UpdateRoleConsoleLoginResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_role;
use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::roles::{self, Wanted};

pub(crate) async fn update_role_console_login(
    cam: &Cam,
    call: Call<UpdateRoleConsoleLoginRequest>,
) -> Result<UpdateRoleConsoleLoginResponse, Error> {
    let (account, now) = (call.caller.account.uin, cam.world.unix_seconds());
    let wanted = Wanted::read(call.request.role_id.map(|id| id.to_string()), call.request.role_name)?;
    // A negative number is as wrong as 2.
    let login = u64::try_from(call.request.console_login).unwrap_or(u64::MAX);
    let login = names::flag("ConsoleLogin", Some(login))?.unwrap_or(false);
    cam.change(account, move |change| {
        roles::update(change, account, &wanted, now, |row| {
            row.console_login = login;
            Ok(())
        })
    })
    .await?;
    Ok(UpdateRoleConsoleLoginResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<UpdateRoleConsoleLoginRequest>) -> Vec<Resource> {
    let id = call.request.role_id.map(|id| id.to_string());
    on_role(cam, call, id.as_deref(), call.request.role_name.as_deref())
}
