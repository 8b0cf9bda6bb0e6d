//! `cam:GetUserAppId`: the numbers of the caller and of its account.

use rookery_api::cam::{GetUserAppIdRequest, GetUserAppIdResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;

pub(crate) async fn get_user_app_id(
    _: &Cam,
    call: Call<GetUserAppIdRequest>,
) -> Result<GetUserAppIdResponse, Error> {
    Ok(GetUserAppIdResponse {
        uin: call.caller.uin().to_string(),
        owner_uin: call.caller.account.uin.to_string(),
        app_id: call.caller.account.app_id,
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<GetUserAppIdRequest>) -> Vec<Resource> {
    on_all()
}
