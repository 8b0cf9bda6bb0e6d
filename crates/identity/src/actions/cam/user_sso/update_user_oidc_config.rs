//! `cam:UpdateUserOIDCConfig`: changes the OIDC log-in of sub-users.

use rookery_api::cam::{UpdateUserOIDCConfigRequest, UpdateUserOIDCConfigResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::user_sso::{OidcSettings, UserOidc, UserOidcRow};

/// Whether it is on stays as it was.
pub(crate) async fn update_user_oidc_config(
    cam: &Cam,
    call: Call<UpdateUserOIDCConfigRequest>,
) -> Result<UpdateUserOIDCConfigResponse, Error> {
    let account = call.caller.account.uin;
    let request = call.request;
    let row = OidcSettings {
        identity_url: request.identity_url,
        client_id: request.client_id,
        authorization_endpoint: request.authorization_endpoint,
        response_type: request.response_type,
        response_mode: request.response_mode,
        mapping_field: request.mapping_filed,
        identity_key: request.identity_key,
        scope: request.scope,
        description: request.description,
        auto_rotate_key: request.auto_rotate_key,
    }
    .check()?;
    cam.change(account, move |change| {
        let former = change.tx.get::<UserOidc>(&Global, &account)?;
        let former = former.ok_or_else(|| Error::NoProvider { name: "OIDC".to_owned() })?;
        let row = UserOidcRow { enabled: former.enabled, ..row.clone() };
        Ok(change.tx.put::<UserOidc>(&Global, &account, &row)?)
    })
    .await?;
    Ok(UpdateUserOIDCConfigResponse::default())
}

pub(crate) fn resources(_: &Cam, _: &Call<UpdateUserOIDCConfigRequest>) -> Vec<Resource> {
    on_all()
}
