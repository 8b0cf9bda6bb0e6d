//! `cam:DeleteOIDCConfig`: ends an OIDC provider; its tokens open nothing any more.

use rookery_api::cam::{DeleteOIDCConfigRequest, DeleteOIDCConfigResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_oidc_provider, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::providers::OidcProviders;

pub(crate) async fn delete_oidc_config(
    cam: &Cam,
    call: Call<DeleteOIDCConfigRequest>,
) -> Result<DeleteOIDCConfigResponse, Error> {
    let (scope, name) = (scope(&call), call.request.name);
    cam.change(scope.uin, move |change| {
        if !change.tx.delete::<OidcProviders>(&scope, &name)? {
            return Err(Error::NoProvider { name: name.clone() });
        }
        change.note(Changed::Provider(name.clone()));
        Ok(())
    })
    .await?;
    Ok(DeleteOIDCConfigResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<DeleteOIDCConfigRequest>) -> Vec<Resource> {
    on_oidc_provider(&call.request.name)
}
