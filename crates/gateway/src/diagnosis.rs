//! Why a signature was refused: known mistakes of clients, tried against the bytes received.
//!
//! Runs only after [`rookery_tc3`] has refused, and accepts nothing: each mistake is put into the request as the client may have made it,
//! and the one whose text the signature was made over is the likely cause. It is written into the trace and never into the reply, whose
//! words are the platform's.

mod mistakes_v1;
mod mistakes_v3;
mod respelling;
#[cfg(test)]
mod tests;

use parking_lot::Mutex;
use rookery_api::PRODUCTS;
use serde::Serialize;

use crate::caller::TIMESTAMP_WINDOW;

pub use mistakes_v1::{RefusedV1, likely as likely_v1};
pub use mistakes_v3::{RefusedV3, likely as likely_v3};

/// A mistake that explains a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A line break at the end of the body came after signing.
    BodyLineBreakAdded,
    /// A line break at the end of the body was signed and not sent.
    BodyLineBreakDropped,
    /// The body is the same JSON with other white space.
    BodySpacing,
    /// The body is the same JSON with its members in another order.
    BodyOrder,
    /// The body is the same JSON with its characters escaped otherwise.
    BodyEscapes,
    /// An empty body was signed.
    BodyEmptySigned,
    /// `{}` was signed in place of the body.
    BodyEmptyObjectSigned,
    /// The payload `UNSIGNED-PAYLOAD` was signed, and its header not sent.
    UnsignedPayloadNotSaid,
    /// `X-TC-Content-SHA256: UNSIGNED-PAYLOAD` was sent, and the hash of the body signed.
    UnsignedPayloadNotSigned,
    /// The content type was signed with another charset, or with none.
    ContentTypeCharset(String),
    /// Another content type was signed.
    ContentType(String),
    /// The host was signed without its port.
    HostWithoutPort(String),
    /// The host was signed with a port that was not sent.
    HostWithPort(String),
    /// The host was signed with a scheme or a slash, or sent with one.
    HostWithScheme(String),
    /// The host was signed in lower case.
    HostLowerCase(String),
    /// Another name of this machine was signed.
    HostLoopback(String),
    /// The platform's own host was signed, and the request sent here.
    HostOfficial(String),
    /// Another path was signed.
    Path(String),
    /// The query was signed sorted by names.
    QuerySorted,
    /// The query was signed with its values encoded otherwise.
    QueryEncoding,
    /// The query of a GET was not signed.
    QueryLeftOut,
    /// The query of a POST was signed.
    QuerySignedInPost,
    /// Another method was signed.
    Method(&'static str),
    /// The empty line between the headers and their names is missing in what was signed.
    BlankLineMissing,
    /// A line break was signed after the canonical request.
    FinalLineBreak,
    /// A timestamp of another second was signed.
    TimestampTakenTwice(i64),
    /// The SecretKey was used with white space around it.
    KeyWhiteSpace,
    /// The SecretKey was used with its quotation marks.
    KeyQuoted,
    /// The SecretId was used as the SecretKey.
    KeyIsSecretId,
    /// No SecretKey was used.
    KeyEmpty,
    /// The signing key or the string to sign is for another service than the header says.
    ScopeService(String),
    /// The signing key or the string to sign is for another date than the header says.
    ScopeDate(String),
    /// The service of the scope is not the product of the address.
    ServiceOfAddress {
        /// What the scope says.
        scope: String,
        /// What the address says.
        address: &'static str,
    },
    /// The date of the scope is not the timestamp's in UTC, but a neighbour of it.
    LocalDate {
        /// What the scope says.
        scope: String,
        /// The timestamp's date.
        utc: String,
    },
    /// The client's clock is wrong by so many seconds; positive is ahead.
    Clock(i64),
    /// The timestamp is in milliseconds.
    Milliseconds,
    /// A signed header did not arrive as it must.
    SignedHeader(String),
    /// The v1 signature was made with another HMAC than `SignatureMethod` says.
    SignatureMethod(&'static str),
    /// The v1 signature was sent without being URL-encoded, and its plus signs became spaces.
    SignatureNotEncoded,
    /// The v1 parameters were signed URL-encoded.
    ParametersEncoded,
    /// The request was answered before.
    Replayed,
    /// Too many signatures were refused at once to look for the cause of each.
    NotSought,
}

impl Cause {
    /// A stable name in kebab case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BodyLineBreakAdded => "body-line-break-added",
            Self::BodyLineBreakDropped => "body-line-break-dropped",
            Self::BodySpacing => "body-spacing",
            Self::BodyOrder => "body-order",
            Self::BodyEscapes => "body-escapes",
            Self::BodyEmptySigned => "body-empty-signed",
            Self::BodyEmptyObjectSigned => "body-empty-object-signed",
            Self::UnsignedPayloadNotSaid => "unsigned-payload-not-said",
            Self::UnsignedPayloadNotSigned => "unsigned-payload-not-signed",
            Self::ContentTypeCharset(_) => "content-type-charset",
            Self::ContentType(_) => "content-type",
            Self::HostWithoutPort(_) => "host-without-port",
            Self::HostWithPort(_) => "host-with-port",
            Self::HostWithScheme(_) => "host-with-scheme",
            Self::HostLowerCase(_) => "host-lower-case",
            Self::HostLoopback(_) => "host-loopback",
            Self::HostOfficial(_) => "host-official",
            Self::Path(_) => "path",
            Self::QuerySorted => "query-sorted",
            Self::QueryEncoding => "query-encoding",
            Self::QueryLeftOut => "query-left-out",
            Self::QuerySignedInPost => "query-signed-in-post",
            Self::Method(_) => "method",
            Self::BlankLineMissing => "blank-line-missing",
            Self::FinalLineBreak => "final-line-break",
            Self::TimestampTakenTwice(_) => "timestamp-taken-twice",
            Self::KeyWhiteSpace => "key-white-space",
            Self::KeyQuoted => "key-quoted",
            Self::KeyIsSecretId => "key-is-secret-id",
            Self::KeyEmpty => "key-empty",
            Self::ScopeService(_) => "scope-service",
            Self::ScopeDate(_) => "scope-date",
            Self::ServiceOfAddress { .. } => "service-of-address",
            Self::LocalDate { .. } => "local-date",
            Self::Clock(_) => "clock",
            Self::Milliseconds => "milliseconds",
            Self::SignedHeader(_) => "signed-header",
            Self::SignatureMethod(_) => "signature-method",
            Self::SignatureNotEncoded => "signature-not-encoded",
            Self::ParametersEncoded => "parameters-encoded",
            Self::Replayed => "replayed",
            Self::NotSought => "not-sought",
        }
    }

    /// The cause in words, for whoever wrote or set up the client.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::BodyLineBreakAdded => {
                "A line break was added to the end of the body after it was signed.".to_owned()
            }
            Self::BodyLineBreakDropped => {
                "The body was signed with a line break at its end, and sent without it.".to_owned()
            }
            Self::BodySpacing => {
                "The body was re-serialised after signing: the same JSON, with other white space. Sign the very bytes that are sent.".to_owned()
            }
            Self::BodyOrder => {
                "The body was re-serialised after signing: the same JSON, with its members in another order. Sign the very bytes that are sent.".to_owned()
            }
            Self::BodyEscapes => {
                "The body was re-serialised after signing: the same JSON, with \\u escapes on one side and the characters themselves on the other. Sign the very bytes that are sent.".to_owned()
            }
            Self::BodyEmptySigned => "An empty body was signed, and another one sent.".to_owned(),
            Self::BodyEmptyObjectSigned => "The body `{}` was signed, and another one sent.".to_owned(),
            Self::UnsignedPayloadNotSaid => {
                "The payload was signed as UNSIGNED-PAYLOAD, and the header X-TC-Content-SHA256 that says so was not sent.".to_owned()
            }
            Self::UnsignedPayloadNotSigned => {
                "X-TC-Content-SHA256 says UNSIGNED-PAYLOAD, and the hash of the body was signed in its place.".to_owned()
            }
            Self::SignedHeader(what) => format!("The {what}: something between the client and here changes headers."),
            Self::Replayed => {
                "The same SecretId, Nonce and Timestamp were used before, and the replay guard is on.".to_owned()
            }
            Self::NotSought => {
                "Not sought: too many signatures were refused in that second. Send the request again.".to_owned()
            }
            _ => self.of_head().or_else(|| self.of_key()).unwrap_or_default(),
        }
    }

    /// The sentences about the line and the headers of a request.
    fn of_head(&self) -> Option<String> {
        Some(match self {
            Self::ContentTypeCharset(signed) => format!(
                "The client signed `content-type:{signed}`, with another charset than it sent; HTTP libraries like to add one."
            ),
            Self::ContentType(signed) => format!("The client signed `content-type:{signed}` and sent another one."),
            Self::HostWithoutPort(signed) => format!("The client signed the host without the port, `{signed}`."),
            Self::HostWithPort(signed) => {
                format!("The client signed the host with a port that it did not send, `{signed}`.")
            }
            Self::HostWithScheme(signed) => format!(
                "The client signed the host `{signed}`: a scheme or a slash belongs to the endpoint's URL and not to its host."
            ),
            Self::HostLowerCase(signed) => {
                format!("The client signed the host in lower case, `{signed}`, and sent it otherwise.")
            }
            Self::HostLoopback(signed) => {
                format!("The client signed another name of this machine, `{signed}`, than it sent.")
            }
            Self::HostOfficial(signed) => format!(
                "The client signed the platform's host `{signed}` and sent another one: give it the endpoint before it signs, or send `Host: {signed}`."
            ),
            Self::Path(signed) => format!("The client signed the path `{signed}` and sent another one."),
            Self::QuerySorted => {
                "The client sorted the query before signing it, and sent it in another order.".to_owned()
            }
            Self::QueryEncoding => {
                "The client signed the query with other percent-encoding than it sent.".to_owned()
            }
            Self::QueryLeftOut => "The client did not sign the query of its GET request.".to_owned(),
            Self::QuerySignedInPost => {
                "The client signed the query of a POST request, whose canonical query is empty.".to_owned()
            }
            Self::Method(signed) => format!("The client signed a {signed} request and sent another method."),
            Self::BlankLineMissing => {
                "The canonical request was signed without the empty line between the headers and the list of their names.".to_owned()
            }
            Self::FinalLineBreak => "The canonical request was signed with a line break at its end.".to_owned(),
            _ => return None,
        })
    }

    /// The sentences about the key, its scope and the time, and those of signature v1.
    fn of_key(&self) -> Option<String> {
        let clock = |seconds: u64, way: &str| format!("Your clock is {seconds} s {way}.");
        Some(match self {
            Self::TimestampTakenTwice(by) => format!(
                "The client read its clock twice: the timestamp that it signed is {by:+} s from the one that it sent."
            ),
            Self::KeyWhiteSpace => "The SecretKey was used with white space around it.".to_owned(),
            Self::KeyQuoted => "The SecretKey was used together with quotation marks.".to_owned(),
            Self::KeyIsSecretId => "The SecretId was used in the place of the SecretKey.".to_owned(),
            Self::KeyEmpty => "The SecretKey was empty when the request was signed.".to_owned(),
            Self::ScopeService(signed) => {
                format!("The request was signed for the service `{signed}`, and `Credential` says another one.")
            }
            Self::ScopeDate(signed) => format!(
                "The request was signed for the date {signed}, and `Credential` says another one: take the date in UTC, once."
            ),
            Self::ServiceOfAddress { scope, address } => format!(
                "The scope's service is `{scope}`, and the address is that of `{address}`: the service is the product, not any other label of the host."
            ),
            Self::LocalDate { scope, utc } => format!(
                "The scope's date is {scope}, and the timestamp's is {utc} in UTC: the date was taken in local time."
            ),
            Self::Clock(ahead) if *ahead > 0 => clock(ahead.unsigned_abs(), "ahead"),
            Self::Clock(behind) => clock(behind.unsigned_abs(), "behind"),
            Self::Milliseconds => "The timestamp is in milliseconds; it has to be in seconds.".to_owned(),
            Self::SignatureMethod(signed) => {
                format!("The request was signed with {signed}, and SignatureMethod says otherwise.")
            }
            Self::SignatureNotEncoded => {
                "The signature was put into the request without URL-encoding: its plus signs arrived as spaces.".to_owned()
            }
            Self::ParametersEncoded => {
                "The parameters were URL-encoded before they were signed; signature v1 signs them as they are.".to_owned()
            }
            _ => return None,
        })
    }
}

/// The cause of a refusal as the trace keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LikelyCause {
    /// The name of the [`Cause`].
    pub cause: &'static str,
    /// The cause in words.
    pub sentence: String,
    /// What the client signed, where that was found out: the canonical request (v3), or the source string (v1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
}

impl From<Cause> for LikelyCause {
    fn from(cause: Cause) -> Self {
        Self { cause: cause.name(), sentence: cause.sentence(), signed: None }
    }
}

impl LikelyCause {
    fn with(cause: &Cause, signed: &[u8]) -> Self {
        Self {
            cause: cause.name(),
            sentence: cause.sentence(),
            signed: Some(String::from_utf8_lossy(signed).into_owned()),
        }
    }
}

/// How many refusals of one second are explained. Trying all mistakes costs ten times what a plain refusal does, and whoever floods the
/// gateway with wrong signatures shall not make it do that work.
pub const SOUGHT_PER_SECOND: u32 = 100;

/// Counts what is explained in the second that is running.
#[derive(Debug, Default)]
pub struct Budget(Mutex<(i64, u32)>);

impl Budget {
    /// What `seek` finds, or that it was not asked. `now` is in UNIX seconds.
    pub fn within(&self, now: i64, seek: impl FnOnce() -> Option<LikelyCause>) -> Option<LikelyCause> {
        let sought = {
            let mut second = self.0.lock();
            if second.0 != now {
                *second = (now, 0);
            }
            second.1 = second.1.saturating_add(1);
            second.1
        };
        if sought > SOUGHT_PER_SECOND { Some(Cause::NotSought.into()) } else { seek() }
    }
}

/// Why a timestamp is refused. `now` is in UNIX seconds.
#[must_use]
pub fn of_timestamp(timestamp: i64, now: i64) -> LikelyCause {
    if is_milliseconds(timestamp, now) {
        return Cause::Milliseconds.into();
    }
    Cause::Clock(timestamp.saturating_sub(now)).into()
}

fn is_milliseconds(timestamp: i64, now: i64) -> bool {
    (timestamp / 1000).abs_diff(now) <= TIMESTAMP_WINDOW
}

/// Why a scope's date is refused, where it is a neighbour of the timestamp's, or the timestamp is in milliseconds.
#[must_use]
pub fn of_scope_date(scope: &str, timestamp: i64, now: i64) -> Option<LikelyCause> {
    if is_milliseconds(timestamp, now) {
        return Some(Cause::Milliseconds.into());
    }
    let utc = rookery_tc3::v3::scope_date(timestamp)?;
    let near = neighbours(timestamp).any(|date| date == scope);
    near.then(|| Cause::LocalDate { scope: scope.to_owned(), utc }.into())
}

const DAY: i64 = 24 * 60 * 60;

/// The dates before and after that of `timestamp`.
fn neighbours(timestamp: i64) -> impl Iterator<Item = String> {
    [-DAY, DAY].into_iter().filter_map(move |by| rookery_tc3::v3::scope_date(timestamp.checked_add(by)?))
}

/// What a client may have used by mistake as its `SecretKey`.
fn mistaken_keys(secret_id: &str, secret_key: &str) -> Vec<(Cause, zeroize::Zeroizing<String>)> {
    let mut keys = Vec::new();
    for (before, after) in
        [("", "\n"), ("", "\r\n"), ("", "\r"), ("", " "), (" ", ""), (" ", " "), ("", "\t"), ("\t", "")]
    {
        keys.push((Cause::KeyWhiteSpace, format!("{before}{secret_key}{after}")));
    }
    for quote in ['"', '\''] {
        keys.push((Cause::KeyQuoted, format!("{quote}{secret_key}{quote}")));
    }
    keys.push((Cause::KeyIsSecretId, secret_id.to_owned()));
    keys.push((Cause::KeyEmpty, String::new()));
    keys.into_iter().map(|(cause, key)| (cause, key.into())).collect()
}

/// Names of this machine.
const LOOPBACK: [&str; 4] = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"];

/// Hosts that a client may have signed in place of the one received.
fn mistaken_hosts(received: &str, region: Option<&str>) -> Vec<(Cause, String)> {
    let mut hosts = Vec::new();
    if let Some((_, rest)) = received.split_once("://") {
        hosts.push((Cause::HostWithScheme as fn(String) -> Cause, rest.trim_end_matches('/').to_owned()));
        hosts.push((Cause::HostWithScheme, rest.to_owned()));
    }
    for (before, after) in [("http://", ""), ("https://", ""), ("http://", "/"), ("https://", "/"), ("", "/")]
    {
        hosts.push((Cause::HostWithScheme, format!("{before}{received}{after}")));
    }
    hosts.push((Cause::HostLowerCase, received.to_ascii_lowercase()));
    let (name, port) = match received.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            hosts.push((Cause::HostWithoutPort, name.to_owned()));
            (name, received.strip_prefix(name).unwrap_or_default())
        }
        _ => {
            hosts.extend(
                [80, 443]
                    .map(|port| (Cause::HostWithPort as fn(String) -> Cause, format!("{received}:{port}"))),
            );
            (received, "")
        }
    };
    if LOOPBACK.contains(&name) {
        for other in LOOPBACK.into_iter().filter(|other| *other != name) {
            hosts.push((Cause::HostLoopback, format!("{other}{port}")));
            hosts.push((Cause::HostLoopback, other.to_owned()));
        }
    }
    for product in PRODUCTS.iter().map(|product| product.name) {
        hosts.push((Cause::HostOfficial, format!("{product}.tencentcloudapi.com")));
        hosts.push((Cause::HostOfficial, format!("{product}.intl.tencentcloudapi.com")));
        hosts.extend(region.map(|region| {
            (Cause::HostOfficial as fn(String) -> Cause, format!("{product}.{region}.tencentcloudapi.com"))
        }));
    }
    hosts
        .into_iter()
        .filter(|(_, host)| host != received)
        .map(|(cause, host)| (cause(host.clone()), host))
        .collect()
}
