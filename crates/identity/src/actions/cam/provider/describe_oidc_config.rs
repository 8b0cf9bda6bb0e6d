//! `cam:DescribeOIDCConfig`: one OIDC provider.

use rookery_api::cam::{DescribeOIDCConfigRequest, DescribeOIDCConfigResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_oidc_provider, scope};
use crate::cam::error::Error;
use crate::cam::providers::OidcProviders;
use crate::cam::user_sso::ENABLED;

/// The platform's number for a provider that opens roles.
const OF_ROLES: u64 = 11;

pub(crate) async fn describe_oidc_config(
    cam: &Cam,
    call: Call<DescribeOIDCConfigRequest>,
) -> Result<DescribeOIDCConfigResponse, Error> {
    let (scope, name) = (scope(&call), call.request.name);
    let row = cam.store.read(|view| view.get::<OidcProviders>(&scope, name.as_str()))?;
    let row = row.ok_or_else(|| Error::NoProvider { name: name.clone() })?;
    Ok(DescribeOIDCConfigResponse {
        provider_type: OF_ROLES,
        identity_url: row.identity_url,
        identity_key: row.identity_key,
        client_id: row.client_ids,
        // A provider of roles cannot be disabled, only deleted.
        status: ENABLED,
        description: row.description,
        name,
        auto_rotate_key: 0,
    })
}

pub(crate) fn resources(_: &Cam, call: &Call<DescribeOIDCConfigRequest>) -> Vec<Resource> {
    on_oidc_provider(&call.request.name)
}
