//! Signature v1: `HmacSHA1` and `HmacSHA256` over all request parameters.
//!
//! ```text
//! source    = METHOD + host + path + "?" + "k1=v1&k2=v2&…"        decoded, sorted by name, `Signature` left out
//! Signature = base64(HMAC(SecretKey, source))
//! ```
//!
//! The parameters come decoded from the query of a GET or the body of a POST, where one sent without `=` has an empty
//! value.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use subtle::ConstantTimeEq;

use crate::mac::{hmac_sha1, hmac_sha256};

/// Name of the parameter that carries the signature and is therefore not signed.
const SIGNATURE: &str = "Signature";

/// The HMAC that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// HMAC-SHA1, the default.
    HmacSha1,
    /// HMAC-SHA256.
    HmacSha256,
}

impl Method {
    /// The method named by the parameter `SignatureMethod`: HMAC-SHA256 if it is exactly `HmacSHA256`, HMAC-SHA1 if it is
    /// anything else or absent, as documented.
    #[must_use]
    pub fn from_parameter(signature_method: Option<&str>) -> Self {
        if signature_method == Some("HmacSHA256") { Self::HmacSha256 } else { Self::HmacSha1 }
    }

    /// The value of `SignatureMethod` that names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HmacSHA1",
            Self::HmacSha256 => "HmacSHA256",
        }
    }

    fn sign(self, source: &[u8], secret_key: &str) -> String {
        let key: &[&[u8]] = &[secret_key.as_bytes()];
        match self {
            Self::HmacSha1 => STANDARD.encode(hmac_sha1(key).chain_update(source).finalize().into_bytes()),
            Self::HmacSha256 => {
                STANDARD.encode(hmac_sha256(key).chain_update(source).finalize().into_bytes())
            }
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The path that clients sign who do not sign the one they request.
const FIXED_PATH: &str = "/";

/// Borrowed view of a request as received.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method as sent, e.g. `POST`.
    pub method: &'a str,
    /// The value of the `Host` header as received, port included.
    pub host: &'a [u8],
    /// The path as sent, e.g. `/`.
    pub path: &'a str,
    /// All parameters, decoded, in any order. `Signature` may be among them and is dropped.
    pub parameters: &'a [(String, String)],
}

/// One way of turning the parameters on the wire into the signed text.
///
/// A reading is tried only where it applies to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reading {
    /// Names and values as sent: the documented rule, and every SDK for most requests.
    AsSent,
    /// The path read as `/`: Python and the tccli of its day, whose endpoint may have a path, sign `/` whatever they request. They send
    /// the whole endpoint as `Host`, so the path is signed there; a request whose `Host` does not end in its path has no such reading.
    FixedPath,
    /// `_` in a name read as `.`, and sorted after that: Python, which sends the underscore.
    UnderscoreAsDot,
    /// `_` in a name read as `.`, but sorted before that: Java.
    UnderscoreAsDotAfterSorting,
    /// Parameters with an empty value left out: Go up to about 1.0.606. Adding such a parameter goes unnoticed.
    WithoutEmptyValues,
    /// The values `true` and `false` of a GET read as `True` and `False`, with `_` read as `.`: the asynchronous Python
    /// client, whose HTTP library writes booleans in another way than its signer.
    BooleanSpelling,
    /// The value `0` read as empty: PHP, which sends `false` as `0` and signs it as nothing. Tried only if the signed
    /// parameter `RequestClient` names the PHP SDK, since it alters meaning.
    ZeroAsEmpty,
}

impl Reading {
    /// All readings, in the order in which [`verify`] tries them.
    pub const ORDER: [Self; 7] = [
        Self::AsSent,
        Self::FixedPath,
        Self::UnderscoreAsDot,
        Self::UnderscoreAsDotAfterSorting,
        Self::WithoutEmptyValues,
        Self::BooleanSpelling,
        Self::ZeroAsEmpty,
    ];

    /// A stable name in kebab case, for traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsSent => "as-sent",
            Self::FixedPath => "fixed-path",
            Self::UnderscoreAsDot => "underscore-as-dot",
            Self::UnderscoreAsDotAfterSorting => "underscore-as-dot-after-sorting",
            Self::WithoutEmptyValues => "without-empty-values",
            Self::BooleanSpelling => "boolean-spelling",
            Self::ZeroAsEmpty => "zero-as-empty",
        }
    }

    /// Whether the reading could give another text than [`Reading::AsSent`].
    fn applies(self, request: &Request<'_>) -> bool {
        let any =
            |test: fn(&str, &str) -> bool| request.parameters.iter().any(|(name, value)| test(name, value));
        match self {
            Self::AsSent => true,
            Self::FixedPath => request.path != FIXED_PATH && request.host.ends_with(request.path.as_bytes()),
            Self::UnderscoreAsDot | Self::UnderscoreAsDotAfterSorting => any(|name, _| name.contains('_')),
            Self::WithoutEmptyValues => any(|_, value| value.is_empty()),
            Self::BooleanSpelling => {
                request.method == "GET" && any(|_, value| matches!(value, "true" | "false"))
            }
            Self::ZeroAsEmpty => {
                any(|_, value| value == "0")
                    && any(|name, value| name == "RequestClient" && value.starts_with("SDK_PHP_"))
            }
        }
    }

    fn name_of(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::UnderscoreAsDot | Self::BooleanSpelling if name.contains('_') => {
                name.replace('_', ".").into()
            }
            _ => name.into(),
        }
    }

    fn value_of(self, value: &str) -> &str {
        match (self, value) {
            (Self::BooleanSpelling, "true") => "True",
            (Self::BooleanSpelling, "false") => "False",
            (Self::ZeroAsEmpty, "0") => "",
            _ => value,
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A signature that is right under no reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The text that the server would have signed for [`Reading::AsSent`]. Not the source of the error, which has none.
    pub source: String,
}

// By hand, because thiserror takes a field called `source` for another error.
impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature matches no reading of the request")
    }
}

/// Checks `signature` (base64) of `request`, trying each [`Reading`] in order; answers the one that matched.
///
/// A line break at the end of `signature`, which Ruby sends, is ignored. Signatures are compared in constant time.
///
/// # Errors
///
/// [`Mismatch`] if no reading matches.
pub fn verify(
    request: &Request<'_>,
    method: Method,
    signature: &str,
    secret_key: &str,
) -> Result<Reading, Mismatch> {
    let signature = signature.strip_suffix('\n').unwrap_or(signature);
    Reading::ORDER
        .into_iter()
        .filter(|reading| reading.applies(request))
        .find(|&reading| {
            let computed = method.sign(&source_bytes(request, reading), secret_key);
            computed.as_bytes().ct_eq(signature.as_bytes()).into()
        })
        .ok_or_else(|| Mismatch { source: source(request, Reading::AsSent) })
}

/// The value of the parameter `Signature`, in base64, for the documented rule ([`Reading::AsSent`]).
#[must_use]
pub fn sign(request: &Request<'_>, method: Method, secret_key: &str) -> String {
    method.sign(&source_bytes(request, Reading::AsSent), secret_key)
}

/// The text that is signed under `reading`. Bytes of the host that are not UTF-8 are replaced by U+FFFD.
#[must_use]
pub fn source(request: &Request<'_>, reading: Reading) -> String {
    String::from_utf8_lossy(&source_bytes(request, reading)).into_owned()
}

fn source_bytes(request: &Request<'_>, reading: Reading) -> Vec<u8> {
    let mut pairs: Vec<(Cow<'_, str>, &str)> = request
        .parameters
        .iter()
        .filter(|(name, value)| {
            name != SIGNATURE && !(reading == Reading::WithoutEmptyValues && value.is_empty())
        })
        .map(|(name, value)| (reading.name_of(name), reading.value_of(value)))
        .collect();
    // Stable: what a name sent twice means is not documented, so both stay in the order sent.
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));

    let mut text = Vec::with_capacity(1024);
    let path = if reading == Reading::FixedPath { FIXED_PATH } else { request.path };
    for part in [request.method.as_bytes(), request.host, path.as_bytes(), b"?"] {
        text.extend_from_slice(part);
    }
    for (position, (name, value)) in pairs.iter().enumerate() {
        if position > 0 {
            text.push(b'&');
        }
        if reading == Reading::UnderscoreAsDotAfterSorting {
            text.extend(name.bytes().map(|byte| if byte == b'_' { b'.' } else { byte }));
        } else {
            text.extend_from_slice(name.as_bytes());
        }
        text.push(b'=');
        text.extend_from_slice(value.as_bytes());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_be_signed_as_the_root_and_as_nothing_else() {
        let parameters = pairs(&[("Action", "DescribeInstances"), ("Nonce", "1")]);
        let signed =
            Request { method: "POST", host: b"127.0.0.1:1/any/path", path: "/", parameters: &parameters };
        let signature = sign(&signed, Method::HmacSha1, SECRET_KEY);
        let sent = Request { path: "/any/path", ..signed };
        assert_eq!(verify(&sent, Method::HmacSha1, &signature, SECRET_KEY), Ok(Reading::FixedPath));
        let elsewhere = Request { path: "/other", ..signed };
        assert!(verify(&elsewhere, Method::HmacSha1, &signature, SECRET_KEY).is_err());
        let signature = sign(&elsewhere, Method::HmacSha1, SECRET_KEY);
        assert!(verify(&sent, Method::HmacSha1, &signature, SECRET_KEY).is_err());
    }

    const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn request<'a>(method: &'a str, parameters: &'a [(String, String)]) -> Request<'a> {
        Request { method, host: b"h", path: "/", parameters }
    }

    /// How `sent` verifies with the signature of the text `signed`.
    fn reading(method: &str, sent: &[(&str, &str)], signed: &str) -> Option<Reading> {
        let signature = Method::HmacSha256.sign(signed.as_bytes(), SECRET_KEY);
        verify(&request(method, &pairs(sent)), Method::HmacSha256, &signature, SECRET_KEY).ok()
    }

    // The unit test of the Node SDK.
    #[test]
    fn the_bare_hmac_agrees_with_the_node_sdk() {
        let sign = |method: Method| method.sign(b"test-sign-string", "test-secret-key");
        assert_eq!(sign(Method::HmacSha1), "XjwGF9U5zdo93uMrX2b1ZDwoFOo=");
        assert_eq!(sign(Method::HmacSha256), "6c+oFbRDL8wKcVPPwa4KtGMOzMuJTQDwV+8tMMPf7oM=");
    }

    #[test]
    fn only_the_exact_name_selects_sha256() {
        assert_eq!(Method::from_parameter(Some("HmacSHA256")), Method::HmacSha256);
        for other in [None, Some(""), Some("HmacSHA1"), Some("hmacsha256"), Some("TC3-HMAC-SHA256")] {
            assert_eq!(Method::from_parameter(other), Method::HmacSha1);
        }
        for method in [Method::HmacSha1, Method::HmacSha256] {
            assert_eq!(Method::from_parameter(Some(method.name())), method);
        }
    }

    #[test]
    fn names_are_sorted_as_plain_text_and_case_counts() {
        let sent = pairs(&[("a.2", "x"), ("a.12", "y"), ("B", "z"), ("Signature", "s"), ("signature", "t")]);
        assert_eq!(source(&request("GET", &sent), Reading::AsSent), "GETh/?B=z&a.12=y&a.2=x&signature=t");
    }

    #[test]
    fn a_request_without_parameters_still_has_a_question_mark() {
        assert_eq!(source(&request("GET", &[]), Reading::AsSent), "GETh/?");
    }

    #[test]
    fn a_repeated_name_stays_in_the_order_sent() {
        let sent = pairs(&[("b", "2"), ("a", "1"), ("b", "1")]);
        assert_eq!(source(&request("GET", &sent), Reading::AsSent), "GETh/?a=1&b=2&b=1");
    }

    #[test]
    fn the_final_line_break_of_ruby_is_ignored_and_no_other() {
        let sent = pairs(&[("a", "1")]);
        let request = request("POST", &sent);
        let signature = sign(&request, Method::HmacSha1, SECRET_KEY);
        let verified = |signature: &str| verify(&request, Method::HmacSha1, signature, SECRET_KEY).is_ok();
        assert!(verified(&signature) && verified(&format!("{signature}\n")));
        for altered in [
            format!("{signature}\n\n"),
            format!(" {signature}"),
            signature.trim_end_matches('=').to_owned(),
            String::new(),
        ] {
            assert!(!verified(&altered), "{altered:?}");
        }
    }

    #[test]
    fn python_and_java_sort_dotted_names_differently() {
        let sent = [("A_B", "1"), ("AA", "2")];
        assert_eq!(reading("POST", &sent, "POSTh/?A.B=1&AA=2"), Some(Reading::UnderscoreAsDot));
        assert_eq!(reading("POST", &sent, "POSTh/?AA=2&A.B=1"), Some(Reading::UnderscoreAsDotAfterSorting));
        assert_eq!(reading("POST", &sent, "POSTh/?AA=2&A_B=1"), Some(Reading::AsSent));
    }

    #[test]
    fn old_go_leaves_empty_values_out() {
        let sent = [("Language", ""), ("Limit", "1"), ("Region", "")];
        assert_eq!(reading("GET", &sent, "GETh/?Limit=1"), Some(Reading::WithoutEmptyValues));
        assert_eq!(reading("GET", &sent, "GETh/?Language=&Limit=1&Region="), Some(Reading::AsSent));
        // All of them or none.
        assert_eq!(reading("GET", &sent, "GETh/?Language=&Limit=1"), None);
    }

    #[test]
    fn asynchronous_python_respells_booleans_and_underscores() {
        let sent = [("A_B", "false"), ("C", "true"), ("D", "untrue")];
        let signed = "?A.B=False&C=True&D=untrue";
        assert_eq!(reading("GET", &sent, &format!("GETh/{signed}")), Some(Reading::BooleanSpelling));
        assert_eq!(reading("POST", &sent, &format!("POSTh/{signed}")), None);
    }

    #[test]
    fn php_signs_false_as_nothing() {
        let signed = "POSTh/?DryRun=&RequestClient=SDK_PHP_3.0.462";
        let php = |client| [("DryRun", "0"), ("RequestClient", client)];
        assert_eq!(reading("POST", &php("SDK_PHP_3.0.462"), signed), Some(Reading::ZeroAsEmpty));
        // Any other client that signs nothing and sends `0` has been tampered with.
        let signed = signed.replace("PHP", "GO");
        assert_eq!(reading("POST", &php("SDK_GO_3.0.462"), &signed), None);
    }

    #[test]
    fn a_mismatch_shows_the_documented_source() {
        let sent = pairs(&[("b_c", ""), ("a", "é")]);
        let refusal = verify(&request("GET", &sent), Method::HmacSha1, "c2ln", SECRET_KEY).unwrap_err();
        assert_eq!(refusal.source, "GETh/?a=é&b_c=");
        assert!(std::error::Error::source(&refusal).is_none());
    }
}
