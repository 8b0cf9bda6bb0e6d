//! Identity providers whose assertions open roles: SAML and OIDC.

use rookery_store::{Account, Table};
use serde::{Deserialize, Serialize};

/// SAML providers by their name.
pub(crate) struct SamlProviders;

impl Table for SamlProviders {
    const NAME: &'static str = "cam.saml-providers";
    type Scope = Account;
    /// The name.
    type Key = String;
    type Row = SamlProviderRow;
}

/// A SAML provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SamlProviderRow {
    pub(crate) description: String,
    /// The metadata document, XML in Base64, to the letter as it was sent: clients compare it.
    pub(crate) metadata: String,
    pub(crate) created_at: i64,
    pub(crate) modified_at: i64,
}

/// OIDC providers by their name.
pub(crate) struct OidcProviders;

impl Table for OidcProviders {
    const NAME: &'static str = "cam.oidc-providers";
    type Scope = Account;
    /// The name.
    type Key = String;
    type Row = OidcProviderRow;
}

/// An OIDC provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OidcProviderRow {
    /// The issuer.
    pub(crate) identity_url: String,
    /// The keys that sign its tokens: a JWKS document in Base64, to the letter as it was sent: clients compare it.
    pub(crate) identity_key: String,
    /// The audiences that are accepted.
    pub(crate) client_ids: Vec<String>,
    pub(crate) description: String,
    pub(crate) auto_rotate_key: bool,
}
