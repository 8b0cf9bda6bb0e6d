//! Identity providers whose assertions open roles: SAML and OIDC.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use rookery_store::{Account, Read, Scan, Table};
use serde::{Deserialize, Serialize};

use crate::cam::error::Error;

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
}

/// How many providers an account may have. The platform's own number is not public.
const PROVIDERS: usize = 50;
/// How long a document may be, in Base64.
const LONGEST: usize = 256 * 1024;

/// Whether an account may have another provider.
pub(crate) fn check_room(rows: &impl Read, account: u64) -> Result<(), Error> {
    let scope = Account { uin: account };
    let number = rows.count::<SamlProviders>(&scope, Scan::all())?
        + rows.count::<OidcProviders>(&scope, Scan::all())?;
    if number < PROVIDERS { Ok(()) } else { Err(Error::ProvidersFull { limit: PROVIDERS }) }
}

/// The text that was sent in Base64, with or without padding and lines.
pub(crate) fn decoded(sent: &str) -> Option<String> {
    if sent.len() > LONGEST {
        return None;
    }
    let dense: String = sent.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let bytes = BASE64_STANDARD_NO_PAD.decode(dense.trim_end_matches('=')).ok()?;
    String::from_utf8(bytes).ok()
}

/// Checks that a metadata document is one of an identity provider: SAML 2.0, with an `entityID` and a certificate that signs.
pub(crate) fn check_metadata(sent: &str) -> Result<(), Error> {
    const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
    const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
    let wrong = |what| Err(Error::Metadata { what });
    let Some(xml) = decoded(sent) else { return wrong("it is not Base64 of a text of at most 192 KB") };
    let Ok(document) = roxmltree::Document::parse(&xml) else { return wrong("it is not XML") };
    let Some(entity) = document.descendants().find(|node| node.has_tag_name((METADATA, "EntityDescriptor")))
    else {
        return wrong("it has no EntityDescriptor");
    };
    if entity.attribute("entityID").is_none_or(str::is_empty) {
        return wrong("its EntityDescriptor has no entityID");
    }
    let Some(descriptor) = entity.children().find(|node| node.has_tag_name((METADATA, "IDPSSODescriptor")))
    else {
        return wrong("it is not of an identity provider");
    };
    let certificates =
        descriptor.descendants().filter(|node| node.has_tag_name((SIGNATURE, "X509Certificate")));
    let usable = |text: &str| {
        let dense: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
        !dense.is_empty() && BASE64_STANDARD_NO_PAD.decode(dense.trim_end_matches('=')).is_ok()
    };
    if certificates.filter_map(|node| node.text()).any(usable) {
        Ok(())
    } else {
        wrong("it has no certificate")
    }
}

/// The URL of an OIDC provider: what its tokens name as their issuer.
pub(crate) fn checked_url(url: String) -> Result<String, Error> {
    let host = url.strip_prefix("https://").map(|rest| rest.split('/').next().unwrap_or_default());
    let legal = host.is_some_and(|host| !host.is_empty())
        && url.len() <= 1024
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '?' || c == '#');
    if legal { Ok(url) } else { Err(Error::ProviderUrl) }
}

/// The keys of an OIDC provider: a JWKS document with a key in it.
pub(crate) fn checked_key(sent: String) -> Result<String, &'static str> {
    let text = decoded(&sent).ok_or("it is not Base64 of a text of at most 192 KB")?;
    let jwks: serde_json::Value = serde_json::from_str(&text).map_err(|_| "it is not JSON")?;
    let keys = jwks.get("keys").and_then(serde_json::Value::as_array).ok_or("it has no list of keys")?;
    let is_key = |key: &serde_json::Value| key.get("kty").and_then(serde_json::Value::as_str).is_some();
    if keys.is_empty() || !keys.iter().all(is_key) {
        return Err("a key set needs keys, each with its kty");
    }
    Ok(sent)
}

/// The audiences of an OIDC provider.
pub(crate) fn checked_clients(clients: Vec<String>) -> Result<Vec<String>, Error> {
    let legal = |client: &String| (1..=256).contains(&client.chars().count());
    if !(1..=20).contains(&clients.len()) || !clients.iter().all(legal) {
        let rule = "must have 1 to 20 client ids of 1 to 256 characters";
        return Err(Error::PlainParameter { parameter: "ClientId", rule });
    }
    Ok(clients)
}

/// Keys are rotated by fetching them from the provider, which nothing here does.
pub(crate) fn refuse_rotation(wanted: Option<u64>) -> Result<(), Error> {
    match wanted {
        None | Some(0) => Ok(()),
        Some(_) => {
            let rule = "must be 0: keys are not fetched from the provider here";
            Err(Error::PlainParameter { parameter: "AutoRotateKey", rule })
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    const METADATA: &str = r#"<?xml version="1.0"?><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>TUlJ
Qg==</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>"#;

    #[test]
    fn metadata_is_of_an_identity_provider_with_a_certificate() {
        let check = |xml: &str| check_metadata(&BASE64_STANDARD.encode(xml));
        check(METADATA).unwrap();
        for (from, to) in [
            ("entityID=\"https://idp.example.com\"", ""),
            ("IDPSSODescriptor", "SPSSODescriptor"),
            ("X509Certificate", "X509Nothing"),
            ("SAML:2.0:metadata", "SAML:1.0:metadata"),
            ("</EntityDescriptor>", ""),
        ] {
            assert!(matches!(check(&METADATA.replace(from, to)), Err(Error::Metadata { .. })), "{from}");
        }
        assert!(matches!(check_metadata("<xml/>"), Err(Error::Metadata { .. })));
    }

    #[test]
    fn keys_urls_and_clients_are_checked() {
        let key = |json: &str| checked_key(BASE64_STANDARD.encode(json));
        assert!(key(r#"{"keys":[{"kty":"RSA"}]}"#).is_ok());
        for json in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[{}]}"#] {
            assert!(key(json).is_err(), "{json}");
        }
        assert!(checked_url("https://idp.example.com/oauth".to_owned()).is_ok());
        for url in ["http://idp.example.com", "https://", "https://a/?b", "ftp://a"] {
            assert!(checked_url(url.to_owned()).is_err(), "{url}");
        }
        assert!(checked_clients(vec!["a".to_owned()]).is_ok() && checked_clients(Vec::new()).is_err());
        assert!(refuse_rotation(Some(0)).is_ok() && refuse_rotation(Some(1)).is_err());
    }
}
