//! `cam:ListUsers`: all sub-users.

use rookery_api::cam::{ListUsersRequest, ListUsersResponse, SubAccountInfo};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::users::Users;

pub(crate) async fn list_users(cam: &Cam, call: Call<ListUsersRequest>) -> Result<ListUsersResponse, Error> {
    let scope = scope(&call);
    let users = cam.store.read(|view| view.scan::<Users>(&scope, Scan::all()))?;
    let data = users.into_iter().map(|(uin, user)| SubAccountInfo {
        uin,
        nick_name: user.name.clone(),
        name: user.name,
        uid: user.uid,
        remark: user.remark,
        console_login: u64::from(user.console_login),
        phone_num: user.phone,
        country_code: user.country_code,
        email: user.email,
        create_time: moments::local(user.created_at),
    });
    Ok(ListUsersResponse { data: data.collect() })
}

pub(crate) fn resources(_: &Cam, _: &Call<ListUsersRequest>) -> Vec<Resource> {
    on_all()
}
