//! `cam:DisableUserSSO`: sub-users log in with passwords again.

use rookery_api::cam::{DisableUserSSORequest, DisableUserSSOResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::user_sso::{UserOidc, UserOidcRow, UserSaml, UserSamlRow};

/// What was configured is kept, disabled. Where nothing was, there is nothing to turn off.
pub(crate) async fn disable_user_sso(
    cam: &Cam,
    call: Call<DisableUserSSORequest>,
) -> Result<DisableUserSSOResponse, Error> {
    let account = call.caller.account.uin;
    cam.change(account, move |change| {
        let saml = change.tx.get::<UserSaml>(&Global, &account)?;
        let oidc = change.tx.get::<UserOidc>(&Global, &account)?;
        if saml.is_none() && oidc.is_none() {
            return Err(Error::Metadata { what: "single sign-on is not configured" });
        }
        if let Some(saml) = saml {
            change.tx.put::<UserSaml>(&Global, &account, &UserSamlRow { enabled: false, ..saml })?;
        }
        if let Some(oidc) = oidc {
            change.tx.put::<UserOidc>(&Global, &account, &UserOidcRow { enabled: false, ..oidc })?;
        }
        Ok(())
    })
    .await?;
    Ok(DisableUserSSOResponse::default())
}

pub(crate) fn resources(_: &Cam, _: &Call<DisableUserSSORequest>) -> Vec<Resource> {
    on_all()
}
