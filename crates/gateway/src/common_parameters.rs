//! Step 3: common parameters, from headers (v3) or from the request string (v1). The presence of `Authorization` decides
//! which, before anything else is looked at.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use rookery_api::decode::DecodeError;
use rookery_api::decode::flattened::{self, Pair};

use crate::arrival::Arrival;
use crate::call::Language;
use crate::error::CommonError;

/// Names of the v1 common parameters: they sit among the action's own and are taken out of them.
const V1_NAMES: [&str; 11] = [
    "Action",
    "Language",
    "Nonce",
    "Region",
    "RequestClient",
    "SecretId",
    "Signature",
    "SignatureMethod",
    "Timestamp",
    "Token",
    "Version",
];

/// The common headers of signature v3, as they are looked for: a name that is not read again for every request.
static ACTION: HeaderName = HeaderName::from_static("x-tc-action");
static VERSION: HeaderName = HeaderName::from_static("x-tc-version");
static TIMESTAMP: HeaderName = HeaderName::from_static("x-tc-timestamp");
static REGION: HeaderName = HeaderName::from_static("x-tc-region");
static TOKEN: HeaderName = HeaderName::from_static("x-tc-token");
static LANGUAGE: HeaderName = HeaderName::from_static("x-tc-language");
static CLIENT: HeaderName = HeaderName::from_static("x-tc-requestclient");

/// The two styles name the same parameter differently, in requests and in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Header style, signature v3.
    Header,
    /// Parameter style, signature v1.
    Parameter,
}

/// What every request says about itself. Headers are borrowed from it.
#[derive(Clone, Debug)]
pub struct CommonParameters<'a> {
    /// Where they came from.
    pub style: Style,
    /// The action's name.
    pub action: Cow<'a, str>,
    /// The API version.
    pub version: Cow<'a, str>,
    /// The timestamp as sent: the text itself is signed.
    pub timestamp_text: Cow<'a, str>,
    /// The timestamp, in UNIX seconds.
    pub timestamp: i64,
    /// The region, absent where the client sent none; an empty one is `Some("")`.
    pub region: Option<Cow<'a, str>>,
    /// The token of a temporary key.
    pub token: Option<Cow<'a, str>>,
    /// The language of the reply.
    pub language: Language,
    /// Which client, by its own word.
    pub client: Option<Cow<'a, str>>,
    /// v1 only: who signs, how, and the signature.
    pub v1: Option<V1>,
}

/// What signature v1 adds.
#[derive(Clone, Debug)]
pub struct V1 {
    /// The SecretId.
    pub secret_id: String,
    /// The signature, as sent.
    pub signature: String,
    /// `SignatureMethod`; absent means HmacSHA1.
    pub method: Option<String>,
    /// Every parameter, decoded, in the order sent.
    pub parameters: Vec<Pair>,
}

impl V1 {
    /// The action's own parameters: all but the common ones.
    pub fn business(&self) -> impl Iterator<Item = Pair> + '_ {
        self.parameters.iter().filter(|(name, _)| !V1_NAMES.contains(&name.as_str())).cloned()
    }
}

/// The language that a request asks for, read leniently: it decides the words of the refusal that follows.
#[must_use]
pub fn language(arrival: &Arrival) -> Language {
    arrival.header(&LANGUAGE).and_then(Language::parse).unwrap_or_default()
}

/// Reads the common parameters.
pub fn read(arrival: &Arrival) -> Result<CommonParameters<'_>, CommonError> {
    if arrival.has_authorization() { from_headers(arrival) } else { from_request_string(arrival) }
}

fn from_headers(arrival: &Arrival) -> Result<CommonParameters<'_>, CommonError> {
    let required = |name: &'static HeaderName, words: &'static str| {
        header(arrival, name, words)?
            .filter(|value| !value.is_empty())
            .ok_or(CommonError::MissingHeader(words))
    };
    let (action, version) = (required(&ACTION, "X-TC-Action")?, required(&VERSION, "X-TC-Version")?);
    let timestamp_text = required(&TIMESTAMP, "X-TC-Timestamp")?;
    Ok(CommonParameters {
        style: Style::Header,
        action: action.into(),
        version: version.into(),
        timestamp: timestamp_text.parse().map_err(|_| CommonError::CommonType("X-TC-Timestamp"))?,
        timestamp_text: timestamp_text.into(),
        region: header(arrival, &REGION, "X-TC-Region")?.map(Cow::Borrowed),
        token: header(arrival, &TOKEN, "X-TC-Token")?.filter(|token| !token.is_empty()).map(Cow::Borrowed),
        language: match header(arrival, &LANGUAGE, "X-TC-Language")? {
            Some(code) => Language::parse(code).ok_or(CommonError::InvalidCommonValue("X-TC-Language"))?,
            None => Language::default(),
        },
        // By its own word only, so nothing about it is worth a refusal.
        client: arrival.headers.get(&CLIENT).and_then(text).map(Cow::Borrowed),
        v1: None,
    })
}

/// A common header, trimmed. One that is sent twice says two things, and one that is not UTF-8 says nothing. `words` is its name in
/// messages.
fn header<'a>(
    arrival: &'a Arrival,
    name: &'static HeaderName,
    words: &'static str,
) -> Result<Option<&'a str>, CommonError> {
    let mut values = arrival.headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(CommonError::CommonRepeated(words));
    }
    text(value).ok_or(CommonError::CommonFormat(words)).map(Some)
}

fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok().map(str::trim)
}

fn from_request_string(arrival: &Arrival) -> Result<CommonParameters<'static>, CommonError> {
    let text: &[u8] = if arrival.method == http::Method::GET {
        arrival.query().as_bytes()
    } else if arrival.media_type() == "application/x-www-form-urlencoded" {
        &arrival.body
    } else {
        // A body of another type holds no parameters in this style, so the first one is missing (captured).
        b""
    };
    let parameters = flattened::pairs(text)?;
    let find = |name: &str| parameters.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.clone());
    let required = |name: &str| {
        find(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| CommonError::MissingParameter(name.to_owned()))
    };
    for name in V1_NAMES {
        if parameters.iter().filter(|(sent, _)| sent == name).count() > 1 {
            return Err(DecodeError::Repeated(name.to_owned()).into());
        }
    }
    let (action, version) = (required("Action")?.into(), required("Version")?.into());
    let timestamp_text = required("Timestamp")?;
    let nonce = required("Nonce")?;
    // Node sends 0, Python and Go up to 63 bits (`protocol.md` §2.3).
    nonce.parse::<u64>().map_err(|_| CommonError::CommonType("Nonce"))?;
    let timestamp = timestamp_text.parse().map_err(|_| CommonError::CommonType("Timestamp"))?;
    // Go always sends the parameter, empty where nothing is chosen.
    let language = match find("Language").filter(|code| !code.is_empty()) {
        Some(code) => Language::parse(&code).ok_or(CommonError::InvalidCommonValue("Language"))?,
        None => Language::default(),
    };
    let (secret_id, signature) = (required("SecretId")?, required("Signature")?);
    let (region, token, client) = (find("Region"), find("Token"), find("RequestClient"));
    let method = find("SignatureMethod");
    Ok(CommonParameters {
        style: Style::Parameter,
        action,
        version,
        timestamp,
        timestamp_text: timestamp_text.into(),
        region: region.map(Cow::Owned),
        token: token.filter(|token| !token.is_empty()).map(Cow::Owned),
        language,
        client: client.map(Cow::Owned),
        v1: Some(V1 { secret_id, signature, method, parameters }),
    })
}
