//! `cam:CreateUserOIDCConfig`: sub-users log in to the console with their company's OIDC identity.

use rookery_api::cam::{CreateUserOIDCConfigRequest, CreateUserOIDCConfigResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::user_sso::{OidcSettings, UserOidc, UserSaml, UserSamlRow};

/// One that is there and disabled is replaced. The SAML way is turned off by it.
pub(crate) async fn create_user_oidc_config(
    cam: &Cam,
    call: Call<CreateUserOIDCConfigRequest>,
) -> Result<CreateUserOIDCConfigResponse, Error> {
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
        if change.tx.get::<UserOidc>(&Global, &account)?.is_some_and(|row| row.enabled) {
            return Err(Error::ProviderTaken { name: "OIDC".to_owned() });
        }
        if let Some(saml) = change.tx.get::<UserSaml>(&Global, &account)? {
            change.tx.put::<UserSaml>(&Global, &account, &UserSamlRow { enabled: false, ..saml })?;
        }
        Ok(change.tx.put::<UserOidc>(&Global, &account, &row)?)
    })
    .await?;
    Ok(CreateUserOIDCConfigResponse::default())
}

pub(crate) fn resources(_: &Cam, _: &Call<CreateUserOIDCConfigRequest>) -> Vec<Resource> {
    on_all()
}
