//! The mistakes that clients make under signature v1.

use rookery_tc3::v1::{self, Method};

use super::{Cause, LikelyCause, mistaken_hosts, mistaken_keys, respelling};

/// A v1 request whose signature was refused.
#[derive(Clone, Copy, Debug)]
pub struct RefusedV1<'a> {
    /// The request as it was verified.
    pub request: v1::Request<'a>,
    /// The HMAC that `SignatureMethod` names.
    pub method: Method,
    /// The signature as received.
    pub signature: &'a str,
    /// Who signs.
    pub secret_id: &'a str,
    /// What the server knows as the SecretKey.
    pub secret_key: &'a str,
    /// The region of the call, where it names one.
    pub region: Option<&'a str>,
}

/// The likely cause of a refusal; `None` where no known mistake explains it.
#[must_use]
pub fn likely(refused: &RefusedV1<'_>) -> Option<LikelyCause> {
    let RefusedV1 { request, method, signature, secret_id, secret_key, region } = *refused;
    let found = |cause: &Cause, request: &v1::Request<'_>, method: Method, signature: &str, key: &str| {
        let reading = v1::verify(request, method, signature, key).ok()?;
        Some(LikelyCause::with(cause, v1::source(request, reading).as_bytes()))
    };
    let same_key =
        |cause: &Cause, request: &v1::Request<'_>| found(cause, request, method, signature, secret_key);

    let other = if method == Method::HmacSha1 { Method::HmacSha256 } else { Method::HmacSha1 };
    if let Some(cause) = found(&Cause::SignatureMethod(other.name()), &request, other, signature, secret_key)
    {
        return Some(cause);
    }
    let plus = signature.replace(' ', "+");
    if let Some(cause) = found(&Cause::SignatureNotEncoded, &request, method, &plus, secret_key) {
        return Some(cause);
    }
    for signed in ["GET", "POST", "get", "post"] {
        if let Some(cause) = same_key(&Cause::Method(signed), &v1::Request { method: signed, ..request }) {
            return Some(cause);
        }
    }
    for path in ["/", "", &format!("{}/", request.path)] {
        if let Some(cause) = same_key(&Cause::Path(path.to_owned()), &v1::Request { path, ..request }) {
            return Some(cause);
        }
    }
    let host = std::str::from_utf8(request.host).unwrap_or_default();
    for (cause, host) in mistaken_hosts(host, region) {
        if let Some(cause) = same_key(&cause, &v1::Request { host: host.as_bytes(), ..request }) {
            return Some(cause);
        }
    }
    for (cause, key) in mistaken_keys(secret_id, secret_key) {
        if let Some(cause) = found(&cause, &request, method, signature, &key) {
            return Some(cause);
        }
    }
    let encode = respelling::percent_encoded;
    let plussed = |text: &str| encode(text).replace("%20", "+");
    for spell in [&encode as &dyn Fn(&str) -> String, &plussed] {
        let parameters: Vec<(String, String)> =
            request.parameters.iter().map(|(name, value)| (name.clone(), spell(value))).collect();
        let encoded = v1::Request { parameters: &parameters, ..request };
        if let Some(cause) = same_key(&Cause::ParametersEncoded, &encoded) {
            return Some(cause);
        }
    }
    None
}
