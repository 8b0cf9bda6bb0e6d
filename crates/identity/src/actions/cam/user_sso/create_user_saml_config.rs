//! `cam:CreateUserSAMLConfig`: sub-users log in to the console with their company's SAML identity.

use rookery_api::cam::{CreateUserSAMLConfigRequest, CreateUserSAMLConfigResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::Cam;
use crate::actions::cam::on_all;
use crate::cam::error::Error;
use crate::cam::providers;
use crate::cam::user_sso::{self, UserOidc, UserSaml, UserSamlRow};

/// One that is there and disabled is replaced: Terraform's deletion only disables. The OIDC way is turned off by it.
pub(crate) async fn create_user_saml_config(
    cam: &Cam,
    call: Call<CreateUserSAMLConfigRequest>,
) -> Result<CreateUserSAMLConfigResponse, Error> {
    let account = call.caller.account.uin;
    let CreateUserSAMLConfigRequest { saml_metadata_document: metadata, auxiliary_domain } = call.request;
    providers::check_metadata(&metadata)?;
    let row = UserSamlRow {
        metadata,
        auxiliary_domain: user_sso::checked_domain(auxiliary_domain)?,
        enabled: true,
    };
    cam.change(account, move |change| {
        if change.tx.get::<UserSaml>(&Global, &account)?.is_some_and(|row| row.enabled) {
            return Err(Error::ProviderTaken { name: "SAML".to_owned() });
        }
        if let Some(oidc) = change.tx.get::<UserOidc>(&Global, &account)? {
            change.tx.put::<UserOidc>(
                &Global,
                &account,
                &user_sso::UserOidcRow { enabled: false, ..oidc },
            )?;
        }
        Ok(change.tx.put::<UserSaml>(&Global, &account, &row)?)
    })
    .await?;
    Ok(CreateUserSAMLConfigResponse::default())
}

pub(crate) fn resources(_: &Cam, _: &Call<CreateUserSAMLConfigRequest>) -> Vec<Resource> {
    on_all()
}
