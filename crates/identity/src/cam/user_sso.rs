//! How the sub-users of an account log in to the console with an identity of their company.

use rookery_store::{Global, Table};
use serde::{Deserialize, Serialize};

use crate::cam::error::Error;
use crate::cam::{names, providers};

/// The SAML configuration of an account, by the account's number.
pub(crate) struct UserSaml;

impl Table for UserSaml {
    const NAME: &'static str = "cam.user-saml";
    type Scope = Global;
    type Key = u64;
    type Row = UserSamlRow;
}

/// A SAML configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserSamlRow {
    /// XML in Base64, as it was sent.
    pub(crate) metadata: String,
    pub(crate) auxiliary_domain: String,
    pub(crate) enabled: bool,
}

/// The OIDC configuration of an account, by the account's number.
pub(crate) struct UserOidc;

impl Table for UserOidc {
    const NAME: &'static str = "cam.user-oidc";
    type Scope = Global;
    type Key = u64;
    type Row = UserOidcRow;
}

/// An OIDC configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserOidcRow {
    pub(crate) identity_url: String,
    /// JWKS in Base64, as it was sent.
    pub(crate) identity_key: String,
    pub(crate) client_id: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) scope: Vec<String>,
    pub(crate) response_type: String,
    pub(crate) response_mode: String,
    pub(crate) mapping_field: String,
    pub(crate) description: String,
    pub(crate) enabled: bool,
}

/// `Status` where nothing was configured.
pub(crate) const UNSET: u64 = 0;
/// `Status` of what is on.
pub(crate) const ENABLED: u64 = 11;
/// `Status` of what is off.
const DISABLED: u64 = 2;

/// `Status` of what was configured.
pub(crate) fn status(enabled: bool) -> u64 {
    if enabled { ENABLED } else { DISABLED }
}

/// An auxiliary domain, where there is one: a host name.
pub(crate) fn checked_domain(domain: Option<String>) -> Result<String, Error> {
    let domain = domain.unwrap_or_default();
    let legal = domain.len() <= 253
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    if legal {
        Ok(domain)
    } else {
        Err(Error::Parameter { parameter: "AuxiliaryDomain", rule: "must be a host name" })
    }
}

/// An OIDC configuration as a request has it.
pub(crate) struct OidcSettings {
    pub(crate) identity_url: String,
    pub(crate) client_id: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) response_type: String,
    pub(crate) response_mode: String,
    pub(crate) mapping_field: String,
    pub(crate) identity_key: String,
    pub(crate) scope: Option<Vec<String>>,
    pub(crate) description: Option<String>,
    pub(crate) auto_rotate_key: Option<u64>,
}

impl OidcSettings {
    /// The row of it, if it can be used.
    pub(crate) fn check(self) -> Result<UserOidcRow, Error> {
        let plain = |parameter, rule| Err(Error::PlainParameter { parameter, rule });
        providers::refuse_rotation(self.auto_rotate_key)?;
        if self.response_type != "id_token" {
            return plain("ResponseType", "must be id_token");
        }
        if !matches!(self.response_mode.as_str(), "form_post" | "fragment") {
            return plain("ResponseMode", "must be form_post or fragment");
        }
        if self.mapping_field.is_empty() || self.mapping_field.len() > 128 {
            return plain("MappingFiled", "must have 1 to 128 characters");
        }
        let scope = self.scope.unwrap_or_default();
        if scope.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
            return plain("Scope", "must be words");
        }
        let client_id =
            providers::checked_clients(vec![self.client_id])?.into_iter().next().unwrap_or_default();
        Ok(UserOidcRow {
            identity_url: providers::checked_url(self.identity_url)?,
            identity_key: providers::checked_key(self.identity_key)
                .map_err(|what| Error::ProviderKey { what })?,
            client_id,
            authorization_endpoint: providers::checked_url(self.authorization_endpoint)?,
            scope,
            response_type: self.response_type,
            response_mode: self.response_mode,
            mapping_field: self.mapping_field,
            description: names::description(self.description)?,
            enabled: true,
        })
    }
}
