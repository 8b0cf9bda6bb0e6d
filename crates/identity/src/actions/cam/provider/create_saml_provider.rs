//! `cam:CreateSAMLProvider`: an identity provider whose SAML assertions open roles.

use rookery_api::cam::{CreateSAMLProviderRequest, CreateSAMLProviderResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::changes::Changed;
use crate::cam::error::Error;
use crate::cam::names;
use crate::cam::providers::{self, SamlProviderRow, SamlProviders};

pub(crate) async fn create_saml_provider(
    cam: &Cam,
    call: Call<CreateSAMLProviderRequest>,
) -> Result<CreateSAMLProviderResponse, Error> {
    let (scope, now) = (scope(&call), cam.world.unix_seconds());
    let CreateSAMLProviderRequest { name, description, saml_metadata_document: metadata } = call.request;
    names::provider(&name)?;
    providers::check_metadata(&metadata)?;
    let description = names::description(Some(description))?;
    let provider_arn = format!("qcs::cam::uin/{}:saml-provider/{name}", scope.uin);
    let row = SamlProviderRow { description, metadata, created_at: now, modified_at: now };
    cam.change(scope.uin, move |change| {
        if change.tx.contains::<SamlProviders>(&scope, name.as_str())? {
            return Err(Error::ProviderTaken { name: name.clone() });
        }
        providers::check_room(change.tx, scope.uin)?;
        change.tx.put::<SamlProviders>(&scope, &name, &row)?;
        change.note(Changed::Provider(name.clone()));
        Ok(())
    })
    .await?;
    Ok(CreateSAMLProviderResponse { provider_arn })
}

pub(crate) fn resources(_: &Cam, _: &Call<CreateSAMLProviderRequest>) -> Vec<Resource> {
    on_all()
}
