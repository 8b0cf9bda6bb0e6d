//! How the sub-users of an account log in to the console with an identity of their company.

use rookery_store::{Global, Table};
use serde::{Deserialize, Serialize};

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
    pub(crate) auto_rotate_key: bool,
    pub(crate) enabled: bool,
}
