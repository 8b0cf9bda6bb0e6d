//! `cam:DescribeUserSAMLConfig`: the SAML log-in of sub-users.

use rookery_api::cam::{DescribeUserSAMLConfigRequest, DescribeUserSAMLConfigResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::user_sso::{self, UNSET, UserSaml};

pub(crate) async fn describe_user_saml_config(
    cam: &Cam,
    call: Call<DescribeUserSAMLConfigRequest>,
) -> Result<DescribeUserSAMLConfigResponse, Error> {
    let row = cam.store.read(|view| view.get::<UserSaml>(&Global, &call.caller.account.uin))?;
    Ok(row.map_or_else(
        || DescribeUserSAMLConfigResponse { status: UNSET, ..Default::default() },
        |row| DescribeUserSAMLConfigResponse {
            saml_metadata: row.metadata,
            status: user_sso::status(row.enabled),
            auxiliary_domain: row.auxiliary_domain,
        },
    ))
}

pub(crate) fn resources(_: &Cam, _: &Call<DescribeUserSAMLConfigRequest>) -> Vec<Resource> {
    on_all()
}
