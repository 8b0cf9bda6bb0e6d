//! `cam:DeleteSAMLProvider`: ends a SAML provider; its assertions open nothing any more.

use rookery_api::cam::{DeleteSAMLProviderRequest, DeleteSAMLProviderResponse};
use rookery_gateway::{Call, Resource};

use crate::Cam;
use crate::actions::cam::{on_saml_provider, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::providers::SamlProviders;

pub(crate) async fn delete_saml_provider(
    cam: &Cam,
    call: Call<DeleteSAMLProviderRequest>,
) -> Result<DeleteSAMLProviderResponse, Error> {
    let (scope, name) = (scope(&call), call.request.name);
    cam.change(scope.uin, move |change| {
        if !change.tx.delete::<SamlProviders>(&scope, &name)? {
            return Err(Error::NoProvider { name: name.clone() });
        }
        change.note(Changed::Provider(name.clone()));
        Ok(())
    })
    .await?;
    Ok(DeleteSAMLProviderResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<DeleteSAMLProviderRequest>) -> Vec<Resource> {
    on_saml_provider(&call.request.name)
}
