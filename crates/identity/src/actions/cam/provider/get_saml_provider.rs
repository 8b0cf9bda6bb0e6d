//! `cam:GetSAMLProvider`: one SAML provider.

use rookery_api::cam::{GetSAMLProviderRequest, GetSAMLProviderResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_saml_provider, scope};
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::providers::SamlProviders;

pub(crate) async fn get_saml_provider(
    cam: &Cam,
    call: Call<GetSAMLProviderRequest>,
) -> Result<GetSAMLProviderResponse, Error> {
    let (scope, name) = (scope(&call), call.request.name);
    let row = cam.store.read(|view| view.get::<SamlProviders>(&scope, name.as_str()))?;
    let row = row.ok_or_else(|| Error::NoProvider { name: name.clone() })?;
    Ok(GetSAMLProviderResponse {
        name,
        description: row.description,
        create_time: moments::local(row.created_at),
        modify_time: moments::local(row.modified_at),
        saml_metadata: row.metadata,
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<GetSAMLProviderRequest>) -> Vec<Resource> {
    on_saml_provider(&call.request.name)
}
