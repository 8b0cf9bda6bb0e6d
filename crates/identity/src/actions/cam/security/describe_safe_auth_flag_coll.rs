//! `cam:DescribeSafeAuthFlagColl`: which proofs are asked of a sub-user.

use rookery_api::cam::{DescribeSafeAuthFlagCollRequest, DescribeSafeAuthFlagCollResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::error::Error;
use crate::cam::safe_auth;

pub(crate) async fn describe_safe_auth_flag_coll(
    cam: &Cam,
    call: Call<DescribeSafeAuthFlagCollRequest>,
) -> Result<DescribeSafeAuthFlagCollResponse, Error> {
    let account = call.caller.account.uin;
    let (flags, offsite) = cam.store.read(|view| safe_auth::read(view, account, call.request.sub_uin))?;
    Ok(DescribeSafeAuthFlagCollResponse {
        login_flag: safe_auth::flag(flags.login),
        action_flag: safe_auth::flag(flags.action),
        offsite_flag: safe_auth::offsite(offsite),
        prompt_trust: 0,
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<DescribeSafeAuthFlagCollRequest>) -> Vec<Resource> {
    on_user(call.request.sub_uin)
}
