//! `cam:UpdateUser`: what a sub-user's administrator can change.

use rookery_api::cam::{UpdateUserRequest, UpdateUserResponse};
use rookery_gateway::{Call, Resource};
use zeroize::Zeroizing;

use crate::Cam;
use crate::actions::cam::{on_user_named, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::names::{self, Contact};
use crate::cam::passwords;
use crate::cam::settings::PasswordRulesRow;
use crate::cam::users::{self, Users};

/// Changes what is given and leaves the rest. A user who may log in from now on and has no password gets none here, because the reply could
/// not tell it: give one.
pub(crate) async fn update_user(
    cam: &Cam,
    call: Call<UpdateUserRequest>,
) -> Result<UpdateUserResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let request = call.request;
    let remark = request.remark.map(|remark| names::description(Some(remark))).transpose()?;
    let contact =
        Contact { phone: request.phone_num, country_code: request.country_code, email: request.email };
    contact.check()?;
    let console_login = names::flag("ConsoleLogin", request.console_login)?;
    let need_reset_password = names::flag("NeedResetPassword", request.need_reset_password)?;
    let (former, rules) = cam.store.read(|view| {
        let (_, user) = users::named(view, scope.uin, &request.name)?;
        Ok::<_, Error>((user.passwords, PasswordRulesRow::read(view, scope.uin)?))
    })?;
    let hash = match request.password.filter(|password| !password.is_empty()).map(Zeroizing::new) {
        Some(password) => {
            rules.check(&password)?;
            Some(passwords::replace(former, password, rules.reuse_limit, now).await?)
        }
        None => None,
    };
    let name = request.name;
    cam.change(scope.uin, move |change| {
        let (uin, mut user) = users::named(change.tx, scope.uin, &name)?;
        user.remark = remark.clone().unwrap_or(user.remark);
        user.phone = contact.phone.clone().unwrap_or(user.phone);
        user.country_code = contact.country_code.clone().unwrap_or(user.country_code);
        user.email = contact.email.clone().unwrap_or(user.email);
        user.console_login = console_login.unwrap_or(user.console_login);
        user.need_reset_password = need_reset_password.unwrap_or(user.need_reset_password);
        user.passwords = hash.clone().unwrap_or(user.passwords);
        change.tx.put::<Users>(&scope, &uin, &user)?;
        change.note(Changed::User(uin));
        Ok(())
    })
    .await?;
    Ok(UpdateUserResponse::default())
}

pub(crate) fn resources(cam: &Cam, call: &Call<UpdateUserRequest>) -> Vec<Resource> {
    on_user_named(cam, call, &call.request.name)
}
