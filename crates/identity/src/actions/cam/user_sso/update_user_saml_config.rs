//! `cam:UpdateUserSAMLConfig`: turns the SAML log-in of sub-users on or off, or replaces its metadata or its domain.

use rookery_api::cam::{UpdateUserSAMLConfigRequest, UpdateUserSAMLConfigResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::providers;
use crate::cam::user_sso::{self, UserOidc, UserOidcRow, UserSaml};

pub(crate) async fn update_user_saml_config(
    cam: &Cam,
    call: Call<UpdateUserSAMLConfigRequest>,
) -> Result<UpdateUserSAMLConfigResponse, Error> {
    let account = call.caller.account.uin;
    let UpdateUserSAMLConfigRequest { operate, saml_metadata_document: metadata, auxiliary_domain } =
        call.request;
    let metadata = metadata.filter(|metadata| !metadata.is_empty());
    let enabled = match operate.as_str() {
        "enable" => Some(true),
        "disable" => Some(false),
        "updateSAML" => None,
        _ => return Err(Error::Metadata { what: "`Operate` must be enable, disable or updateSAML" }),
    };
    match (&metadata, enabled) {
        (Some(metadata), None) => {
            providers::check_metadata(metadata)?;
        }
        // Terraform changes the domain alone.
        (None, None) if auxiliary_domain.is_none() => return Err(Error::Metadata { what: "it is missing" }),
        (Some(_), Some(_)) => return Err(Error::Metadata { what: "it goes with `Operate` updateSAML only" }),
        (None, _) => {}
    }
    let domain = auxiliary_domain.map(|domain| user_sso::checked_domain(Some(domain))).transpose()?;
    cam.change(account, move |change| {
        let row = change.tx.get::<UserSaml>(&Global, &account)?;
        let mut row = row.ok_or_else(|| Error::NoProvider { name: "SAML".to_owned() })?;
        row.enabled = enabled.unwrap_or(row.enabled);
        row.metadata = metadata.clone().unwrap_or(row.metadata);
        row.auxiliary_domain = domain.clone().unwrap_or(row.auxiliary_domain);
        if row.enabled
            && let Some(oidc) = change.tx.get::<UserOidc>(&Global, &account)?
        {
            change.tx.put::<UserOidc>(&Global, &account, &UserOidcRow { enabled: false, ..oidc })?;
        }
        Ok(change.tx.put::<UserSaml>(&Global, &account, &row)?)
    })
    .await?;
    Ok(UpdateUserSAMLConfigResponse::default())
}

pub(crate) fn resources(_: &Cam, _: &Call<UpdateUserSAMLConfigRequest>) -> Vec<Resource> {
    on_all()
}
