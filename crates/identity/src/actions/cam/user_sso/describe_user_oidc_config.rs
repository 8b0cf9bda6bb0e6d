//! `cam:DescribeUserOIDCConfig`: the OIDC log-in of sub-users.

use rookery_api::cam::{DescribeUserOIDCConfigRequest, DescribeUserOIDCConfigResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::user_sso::{self, UserOidc};

/// The platform's number for a provider that sub-users log in with.
const OF_USERS: u64 = 12;

pub(crate) async fn describe_user_oidc_config(
    cam: &Cam,
    call: Call<DescribeUserOIDCConfigRequest>,
) -> Result<DescribeUserOIDCConfigResponse, Error> {
    let row = cam.store.read(|view| view.get::<UserOidc>(&Global, &call.caller.account.uin))?;
    let row = row.ok_or_else(|| Error::NoProvider { name: "OIDC".to_owned() })?;
    Ok(DescribeUserOIDCConfigResponse {
        provider_type: OF_USERS,
        identity_url: row.identity_url,
        identity_key: row.identity_key,
        client_id: row.client_id,
        status: user_sso::status(row.enabled),
        authorization_endpoint: row.authorization_endpoint,
        scope: row.scope,
        response_type: row.response_type,
        response_mode: row.response_mode,
        mapping_filed: row.mapping_field,
        description: row.description,
        auto_rotate_key: 0,
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<DescribeUserOIDCConfigRequest>) -> Vec<Resource> {
    on_all()
}
