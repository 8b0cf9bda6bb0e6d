//! `cam:GetUser`: one sub-user by name.

use rookery_api::cam::{GetUserRequest, GetUserResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user_named;
use crate::cam::error::Error;
use crate::cam::users;

/// There is no console to log in to, so nobody has logged in recently.
pub(crate) async fn get_user(cam: &Cam, call: Call<GetUserRequest>) -> Result<GetUserResponse, Error> {
    let account = call.caller.account.uin;
    let (uin, user) = cam.store.read(|view| users::named(view, account, &call.request.name))?;
    Ok(GetUserResponse {
        uin,
        name: user.name,
        uid: user.uid,
        remark: Some(user.remark),
        console_login: u64::from(user.console_login),
        phone_num: user.phone,
        country_code: user.country_code,
        email: user.email,
        recently_login_ip: String::new(),
        recently_login_time: String::new(),
    })
}

pub(crate) fn resources(cam: &Cam, call: &Call<GetUserRequest>) -> Vec<Resource> {
    on_user_named(cam, call, &call.request.name)
}
