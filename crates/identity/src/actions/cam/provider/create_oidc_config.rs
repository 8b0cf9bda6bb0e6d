//! `cam:CreateOIDCConfig`: an identity provider whose OIDC tokens open roles.

use rookery_api::cam::{CreateOIDCConfigRequest, CreateOIDCConfigResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::providers::{self, OidcProviderRow, OidcProviders};

pub(crate) async fn create_oidc_config(
    cam: &Cam,
    call: Call<CreateOIDCConfigRequest>,
) -> Result<CreateOIDCConfigResponse, Error> {
    let scope = scope(&call);
    let request = call.request;
    let name = request.name;
    names::provider(&name)?;
    providers::refuse_rotation(request.auto_rotate_key)?;
    let row = OidcProviderRow {
        identity_url: providers::checked_url(request.identity_url)?,
        identity_key: providers::checked_key(request.identity_key)
            .map_err(|what| Error::ProviderKeyOfRole { what })?,
        client_ids: providers::checked_clients(request.client_id)?,
        description: names::description(request.description)?,
    };
    cam.change(scope.uin, move |change| {
        if change.tx.contains::<OidcProviders>(&scope, name.as_str())? {
            return Err(Error::ProviderTaken { name: name.clone() });
        }
        providers::check_room(change.tx, scope.uin)?;
        change.tx.put::<OidcProviders>(&scope, &name, &row)?;
        change.note(Changed::Provider(name.clone()));
        Ok(())
    })
    .await?;
    Ok(CreateOIDCConfigResponse::default())
}

pub(crate) fn resources(_: &Cam, _: &Call<CreateOIDCConfigRequest>) -> Vec<Resource> {
    on_all()
}
