//! `cam:ListSAMLProviders`: the SAML providers.

use rookery_api::cam::{ListSAMLProvidersRequest, ListSAMLProvidersResponse, SAMLProviderInfo};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::providers::SamlProviders;

pub(crate) async fn list_saml_providers(
    cam: &Cam,
    call: Call<ListSAMLProvidersRequest>,
) -> Result<ListSAMLProvidersResponse, Error> {
    let scope = scope(&call);
    let rows = cam.store.read(|view| view.scan::<SamlProviders>(&scope, Scan::all()))?;
    Ok(ListSAMLProvidersResponse {
        total_count: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        saml_provider_set: rows
            .into_iter()
            .map(|(name, row)| SAMLProviderInfo {
                name,
                description: row.description,
                create_time: moments::local(row.created_at),
                modify_time: moments::local(row.modified_at),
            })
            .collect(),
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<ListSAMLProvidersRequest>) -> Vec<Resource> {
    on_all()
}
