//! `cam:DescribeSafeAuthFlagIntl`: which proofs are asked of the caller, as the international site says it.

use rookery_api::cam::{
    DescribeSafeAuthFlagIntlRequest, DescribeSafeAuthFlagIntlResponse, LoginActionFlagIntl,
};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::on_user;
use crate::cam::error::Error;
use crate::cam::safe_auth;
use crate::cam::settings::Proofs;

pub(crate) async fn describe_safe_auth_flag_intl(
    cam: &Cam,
    call: Call<DescribeSafeAuthFlagIntlRequest>,
) -> Result<DescribeSafeAuthFlagIntlResponse, Error> {
    let account = call.caller.account.uin;
    let (flags, offsite) = cam.store.read(|view| safe_auth::read(view, account, call.caller.uin()))?;
    Ok(DescribeSafeAuthFlagIntlResponse {
        login_flag: flag(flags.login),
        action_flag: flag(flags.action),
        offsite_flag: safe_auth::offsite(offsite),
    })
}

/// The proofs that nothing here can set are never asked for.
fn flag(proofs: Proofs) -> LoginActionFlagIntl {
    LoginActionFlagIntl {
        phone: u64::from(proofs.phone),
        stoken: u64::from(proofs.stoken),
        wechat: u64::from(proofs.wechat),
        ..LoginActionFlagIntl::default()
    }
}

pub(crate) fn resources(_: &Cam, call: &Call<DescribeSafeAuthFlagIntlRequest>) -> Vec<Resource> {
    on_user(call.caller.uin())
}
