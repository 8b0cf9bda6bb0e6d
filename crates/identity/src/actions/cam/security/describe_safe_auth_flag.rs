//! `cam:DescribeSafeAuthFlag`: which proofs are asked of the caller.

use rookery_api::cam::{DescribeSafeAuthFlagRequest, DescribeSafeAuthFlagResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::error::Error;
use crate::cam::safe_auth;

pub(crate) async fn describe_safe_auth_flag(
    cam: &Cam,
    call: Call<DescribeSafeAuthFlagRequest>,
) -> Result<DescribeSafeAuthFlagResponse, Error> {
    let account = call.caller.account.uin;
    let (flags, offsite) = cam.store.read(|view| safe_auth::read(view, account, call.caller.uin()))?;
    Ok(DescribeSafeAuthFlagResponse {
        login_flag: safe_auth::flag(flags.login),
        action_flag: safe_auth::flag(flags.action),
        offsite_flag: safe_auth::offsite(offsite),
        // Devices are trusted in the console, which is not here.
        prompt_trust: 0,
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<DescribeSafeAuthFlagRequest>) -> Vec<Resource> {
    on_user(call.caller.uin())
}
