//! `cam:UpdateSAMLProvider`: the metadata or the description of a SAML provider.

use rookery_api::cam::{UpdateSAMLProviderRequest, UpdateSAMLProviderResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_saml_provider, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::providers::{self, SamlProviders};

pub(crate) async fn update_saml_provider(
    cam: &Cam,
    call: Call<UpdateSAMLProviderRequest>,
) -> Result<UpdateSAMLProviderResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let UpdateSAMLProviderRequest { name, description, saml_metadata_document: metadata } = call.request;
    let metadata = metadata.filter(|metadata| !metadata.is_empty());
    metadata.as_deref().map(providers::check_metadata).transpose()?;
    let description = description.map(|text| names::description(Some(text))).transpose()?;
    cam.change(scope.uin, move |change| {
        let row = change.tx.get::<SamlProviders>(&scope, name.as_str())?;
        let mut row = row.ok_or_else(|| Error::NoProvider { name: name.clone() })?;
        row.metadata = metadata.clone().unwrap_or(row.metadata);
        row.description = description.clone().unwrap_or(row.description);
        row.modified_at = now;
        change.tx.put::<SamlProviders>(&scope, &name, &row)?;
        change.note(Changed::Provider(name.clone()));
        Ok(())
    })
    .await?;
    Ok(UpdateSAMLProviderResponse::default())
}

pub(crate) fn resources(_: &Cam, call: &Call<UpdateSAMLProviderRequest>) -> Vec<Resource> {
    on_saml_provider(&call.request.name)
}
