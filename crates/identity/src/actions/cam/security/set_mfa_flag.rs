//! `cam:SetMfaFlag`: which proofs a log-in and a sensitive operation ask of somebody.

use rookery_api::cam::{SetMfaFlagRequest, SetMfaFlagResponse};
use rookery_gateway::{Call, Principal, Resource};
use rookery_store::{Global, Read};

use crate::Cam;
use crate::actions::cam::{on_user, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::safe_auth;
use crate::cam::settings::RootMfa;
use crate::cam::users::{self, Users};

/// `OpUin` empty means the caller. A flag that is not given stays as it was. Only the root sets its own.
pub(crate) async fn set_mfa_flag(
    cam: &Cam,
    call: Call<SetMfaFlagRequest>,
) -> Result<SetMfaFlagResponse, Error> {
    let scope = scope(&call);
    let uin = target(&call);
    let login = call.request.login_flag.as_ref().map(safe_auth::proofs).transpose()?;
    let action = call.request.action_flag.as_ref().map(safe_auth::proofs).transpose()?;
    if uin == scope.uin && call.caller.principal != Principal::Root {
        return Err(Error::NoTarget { uin });
    }
    cam.change(scope.uin, move |change| {
        if uin == scope.uin {
            let mut flags = change.tx.get::<RootMfa>(&Global, &uin)?.unwrap_or_default();
            safe_auth::apply(&mut flags, login, action, false)?;
            return Ok(change.tx.put::<RootMfa>(&Global, &uin, &flags)?);
        }
        let mut user = users::get(change.tx, scope.uin, uin)?;
        safe_auth::apply(&mut user.mfa, login, action, !user.phone.is_empty())?;
        change.tx.put::<Users>(&scope, &uin, &user)?;
        change.note(Changed::User(uin));
        Ok(())
    })
    .await?;
    Ok(SetMfaFlagResponse::default())
}

fn target(call: &Call<SetMfaFlagRequest>) -> u64 {
    call.request.op_uin.filter(|uin| *uin != 0).unwrap_or_else(|| call.caller.uin())
}

pub(crate) fn resources(_: &Cam, call: &Call<SetMfaFlagRequest>) -> Vec<Resource> {
    on_user(target(call))
}
