//! `cam:UpdateOIDCConfig`: everything of an OIDC provider but its name.

use rookery_api::cam::{UpdateOIDCConfigRequest, UpdateOIDCConfigResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_oidc_provider, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::providers::{self, OidcProviderRow, OidcProviders};

/// A description that is not given stays.
pub(crate) async fn update_oidc_config(
    cam: &Cam,
    call: Call<UpdateOIDCConfigRequest>,
) -> Result<UpdateOIDCConfigResponse, Error> {
    let scope = scope(&call);
    let request = call.request;
    let name = request.name;
    providers::refuse_rotation(request.auto_rotate_key)?;
    let identity_url = providers::checked_url(request.identity_url)?;
    let identity_key =
        providers::checked_key(request.identity_key).map_err(|what| Error::ProviderKeyOfRole { what })?;
    let client_ids = providers::checked_clients(request.client_id)?;
    let description = request.description.map(|text| names::description(Some(text))).transpose()?;
    cam.change(scope.uin, move |change| {
        let former = change.tx.get::<OidcProviders>(&scope, name.as_str())?;
        let former = former.ok_or_else(|| Error::NoProvider { name: name.clone() })?;
        let row = OidcProviderRow {
            identity_url: identity_url.clone(),
            identity_key: identity_key.clone(),
            client_ids: client_ids.clone(),
            description: description.clone().unwrap_or(former.description),
        };
        change.tx.put::<OidcProviders>(&scope, &name, &row)?;
        change.note(Changed::Provider(name.clone()));
        Ok(())
    })
    .await?;
    Ok(UpdateOIDCConfigResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<UpdateOIDCConfigRequest>) -> Vec<Resource> {
    on_oidc_provider(&call.request.name)
}
