//! Signature v3, `TC3-HMAC-SHA256`.
//!
//! The server rebuilds the canonical request from the bytes it received:
//!
//! * The query of a GET is the raw text of the request line: neither decoded nor sorted. That of any other method is
//!   empty, so a query on a POST is **not** covered by the signature.
//! * The payload of a GET is empty, that of any other method is the body as received;
//!   `X-TC-Content-SHA256: UNSIGNED-PAYLOAD` puts the literal [`UNSIGNED_PAYLOAD`] in its place for both.
//! * A header value is trimmed of spaces and tabs and otherwise signed as sent. The documented rule lower-cases it,
//!   official SDKs do not: [`Reading`] covers both.
//! * Signed headers are put in ASCII order of their names, as documented, whatever order the client lists them in.
//! * A signed header that is missing, or that occurs twice, or whose value holds a line break, never verifies:
//!   see [`UnusableHeader`].
//!
//! Nothing here looks at the clock, at who owns a key, or at whether the scope names a product.

mod authorization;
mod canonical;
mod key;
mod reading;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use time::{Month, OffsetDateTime};

pub use self::authorization::{Authorization, AuthorizationError};
pub use self::canonical::{UnusableHeader, UnusableReason};
pub use self::key::SigningKey;
pub use self::reading::Reading;

use self::canonical::Canonical;

/// Name of the algorithm: the scheme of the header and the first line of the string to sign.
pub const ALGORITHM: &str = "TC3-HMAC-SHA256";

/// Last segment of every credential scope.
pub const TERMINATOR: &str = "tc3_request";

/// Value of `X-TC-Content-SHA256` that leaves the body out of the signature; the hash of this literal is signed.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Name of the header that states the hash of the body, in lower case.
pub const CONTENT_SHA256_HEADER: &str = "x-tc-content-sha256";

/// Borrowed view of a request as received.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method as sent, e.g. `POST`. Methods are case-sensitive.
    pub method: &'a str,
    /// The path as sent, still percent-encoded, e.g. `/`. An absolute-form target contributes its path only.
    pub path: &'a str,
    /// The raw text after `?`, or `""` if there is none.
    pub query: &'a str,
    /// All headers in the order received. Names compare ASCII case-insensitively; values are the bytes received.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body as received, after transfer decoding and before anything else.
    pub body: &'a [u8],
    /// The raw text of `X-TC-Timestamp`. It is signed as sent, so leading zeros or a `+` stay.
    pub timestamp: &'a str,
}

impl<'a> Request<'a> {
    /// The value of the first header called `name`, trimmed of spaces and tabs.
    fn header(&self, name: &str) -> Option<&'a [u8]> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(canonical::trimmed(value))
    }
}

/// A signature that was found to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The reading of the request under which the signature is right.
    pub reading: Reading,
}

/// A signature that is right under no reading, with the texts that the server computed for [`Reading::AsSent`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signature matches no reading of the request")]
#[non_exhaustive]
pub struct Mismatch {
    /// The canonical request. Bytes that are not UTF-8 are replaced by U+FFFD; an absent header is an empty value.
    pub canonical_request: String,
    /// The string to sign, which ends in the hash of the canonical request.
    pub string_to_sign: String,
    /// Signed headers that made verification impossible whatever the signature, in canonical order.
    pub unusable_headers: Vec<UnusableHeader>,
}

/// Checks the signature of `request`, trying each [`Reading`] in order.
///
/// `key` has to be derived from the secret key, date and service of `authorization`; any other key is a mismatch, since
/// date and service are part of the string to sign. Signatures are compared in constant time.
///
/// The scope date is not compared with the timestamp: see [`scope_date`].
///
/// # Errors
///
/// [`Mismatch`] if no reading matches, or if a signed header is unusable.
pub fn verify(
    request: &Request<'_>,
    authorization: &Authorization<'_>,
    key: &SigningKey,
) -> Result<Verified, Mismatch> {
    let canonical = Canonical::new(request, &authorization.signed_headers);
    let scope = Scope { date: authorization.date, service: authorization.service };
    if canonical.unusable.is_empty() {
        for reading in Reading::ORDER {
            if !canonical.is_distinct(reading) {
                continue;
            }
            let computed = key.sign(&StringToSign::new(request, scope, canonical.hash(reading)).text());
            if is_written(computed, authorization.signature) {
                return Ok(Verified { reading });
            }
        }
    }
    let string_to_sign = StringToSign::new(request, scope, canonical.hash(Reading::AsSent));
    Err(Mismatch {
        canonical_request: canonical.text(Reading::AsSent),
        string_to_sign: string_to_sign.text(),
        unusable_headers: canonical.unusable,
    })
}

/// The last line of a canonical request for `payload`: its SHA-256 in lower-case hexadecimal digits.
#[must_use]
pub fn payload_hash(payload: &[u8]) -> String {
    hex::encode(Sha256::digest(payload))
}

/// Whether the signature of `authorization` was made over exactly this canonical request, with this timestamp and `key`.
///
/// For explaining a refusal: it says what a client signed, and nothing of whether that is what it sent. Only [`verify`] accepts
/// a request. Constant time in the signature.
#[must_use]
pub fn was_made_over(
    authorization: &Authorization<'_>,
    canonical_request: &[u8],
    timestamp: &str,
    key: &SigningKey,
) -> bool {
    let text = StringToSign {
        timestamp,
        scope: Scope { date: authorization.date, service: authorization.service },
        canonical_hash: canonical::hex_digest(Sha256::new().chain_update(canonical_request)),
    };
    is_written(key.sign(&text.text()), authorization.signature)
}

/// Whether `text` is the signature in lower-case hexadecimal digits, in a time that says nothing of where they differ. Digits are made of
/// the signature that is right, for those of the other one need not be digits.
fn is_written(signature: [u8; 32], text: &str) -> bool {
    let right = canonical::hex_digits(signature);
    let ((right, _), (claimed, rest)) = (right.as_chunks::<8>(), text.as_bytes().as_chunks::<8>());
    let words = right.iter().zip(claimed).map(|(right, claimed)| {
        let [right, claimed] = [right, claimed].map(|bytes| u64::from_le_bytes(*bytes));
        right.ct_eq(&claimed)
    });
    let same = words.fold(Choice::from(1), |same, word| same & word);
    claimed.len() == right.len() && rest.is_empty() && same.into()
}

/// The value of the `Authorization` header for `request`, signed over `signed_headers` as the official SDKs do
/// ([`Reading::AsSent`]).
///
/// `signed_headers` may come in any order and letter case; repetitions count once. A server requires `content-type` and
/// `host` among them. A name that the request does not carry is signed with an empty value, which no server accepts.
/// `date` is normally [`scope_date`] of the timestamp, `service` the product's name.
#[must_use]
pub fn sign(
    request: &Request<'_>,
    signed_headers: &[&str],
    date: &str,
    service: &str,
    secret_id: &str,
    secret_key: &str,
) -> String {
    let mut names: Vec<String> = signed_headers.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let canonical = Canonical::new(request, &names);
    let string_to_sign = StringToSign::new(request, Scope { date, service }, canonical.hash(Reading::AsSent));
    let signature = hex::encode(SigningKey::derive(secret_key, date, service).sign(&string_to_sign.text()));
    format!(
        "{ALGORITHM} Credential={secret_id}/{date}/{service}/{TERMINATOR}, SignedHeaders={}, Signature={signature}",
        names.join(";"),
    )
}

/// Whether `X-TC-Content-SHA256` agrees with the body: it is absent, or [`UNSIGNED_PAYLOAD`], or the SHA-256 of the body
/// received in hexadecimal digits of either case. With several such headers each one has to agree.
///
/// The documented answer to `false` is `InvalidParameterValue`.
#[must_use]
pub fn content_sha256_matches(request: &Request<'_>) -> bool {
    let mut stated =
        request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(CONTENT_SHA256_HEADER));
    stated.all(|(_, value)| {
        let value = canonical::trimmed(value);
        value == UNSIGNED_PAYLOAD.as_bytes()
            || value.eq_ignore_ascii_case(&canonical::hex_digest(Sha256::new().chain_update(request.body)))
    })
}

/// The scope date of a timestamp: `YYYY-MM-DD` in UTC of `timestamp` seconds after the UNIX epoch.
///
/// `None` for a year outside 0 to 9999. A request is acceptable only if this equals [`Authorization::date`].
#[must_use]
pub fn scope_date(timestamp: i64) -> Option<String> {
    String::from_utf8(scope_date_digits(timestamp)?.to_vec()).ok()
}

/// Whether `date` is the [`scope_date`] of `timestamp`.
#[must_use]
pub fn is_scope_date(date: &str, timestamp: i64) -> bool {
    scope_date_digits(timestamp).is_some_and(|digits| digits == *date.as_bytes())
}

fn scope_date_digits(timestamp: i64) -> Option<[u8; 10]> {
    let date = OffsetDateTime::from_unix_timestamp(timestamp).ok()?.date();
    let year = u16::try_from(date.year()).ok()?;
    let numbers =
        [u8::try_from(year / 100).ok()?, u8::try_from(year % 100).ok()?, date.month().into(), date.day()];
    let mut digits = *b"0000-00-00";
    for (at, number) in [0, 2, 5, 8].into_iter().zip(numbers) {
        digits.get_mut(at..at + 2)?.copy_from_slice(&[b'0' + number / 10, b'0' + number % 10]);
    }
    Some(digits)
}

/// Whether `text` is a date of the calendar written `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let number =
        |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u16>().ok());
    let parsed = || {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        if (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return None;
        }
        let month = Month::try_from(u8::try_from(number(month)??).ok()?).ok()?;
        let day = u8::try_from(number(day)??).ok()?;
        time::Date::from_calendar_date(number(year)??.into(), month, day).ok()
    };
    parsed().is_some()
}

/// The variable part of a credential scope.
#[derive(Clone, Copy)]
struct Scope<'a> {
    date: &'a str,
    service: &'a str,
}

/// What the text that is signed is made of.
struct StringToSign<'a> {
    timestamp: &'a str,
    scope: Scope<'a>,
    canonical_hash: [u8; 64],
}

impl<'a> StringToSign<'a> {
    fn new(request: &Request<'a>, scope: Scope<'a>, canonical_hash: [u8; 64]) -> Self {
        Self { timestamp: request.timestamp, scope, canonical_hash }
    }

    fn text(&self) -> String {
        // Hexadecimal digits are ASCII, so the fallback is never taken.
        let hash = std::str::from_utf8(&self.canonical_hash).unwrap_or_default();
        let Scope { date, service } = self.scope;
        [ALGORITHM, "\n", self.timestamp, "\n", date, "/", service, "/", "tc3_request\n", hash].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

    fn request<'a>(headers: &'a [(&'a str, &'a [u8])]) -> Request<'a> {
        Request { method: "POST", path: "/", query: "", headers, body: b"{}", timestamp: "1551113065" }
    }

    /// Verifies `received` with a header that was made for `sent`.
    fn verify_signed(
        sent: &Request<'_>,
        received: &Request<'_>,
        signed_headers: &[&str],
    ) -> Result<Verified, Mismatch> {
        let header = sign(sent, signed_headers, "2019-02-25", "cvm", "AKID", SECRET_KEY);
        let authorization = Authorization::parse(&header).unwrap();
        verify(received, &authorization, &SigningKey::derive(SECRET_KEY, "2019-02-25", "cvm"))
    }

    #[test]
    fn an_absent_header_is_not_an_empty_one() {
        let headers: [(&str, &[u8]); 3] = [("content-type", b"t"), ("host", b"h"), ("x-a", b"")];
        let signed = ["content-type", "host", "x-a"];
        assert!(verify_signed(&request(&headers), &request(&headers), &signed).is_ok());
        let refusal = verify_signed(&request(&headers), &request(&headers[..2]), &signed).unwrap_err();
        let missing = UnusableHeader { name: "x-a".to_owned(), reason: UnusableReason::Missing };
        assert_eq!(refusal.unusable_headers, [missing]);
        assert!(refusal.canonical_request.contains("\nx-a:\n"));
    }

    #[test]
    fn a_second_value_of_a_signed_header_is_refused() {
        let twice: [(&str, &[u8]); 3] = [("content-type", b"t"), ("host", b"h"), ("Host", b"evil")];
        let once = request(&twice[..2]);
        for order in [[0, 1, 2], [0, 2, 1]] {
            let headers = order.map(|position| twice[position]);
            let refusal = verify_signed(&once, &request(&headers), &["content-type", "host"]).unwrap_err();
            assert_eq!(refusal.unusable_headers[0].reason, UnusableReason::Repeated);
        }
        // Even if the client signed both.
        assert!(verify_signed(&request(&twice), &request(&twice), &["content-type", "host"]).is_err());
    }

    #[test]
    fn a_line_break_in_a_value_is_refused() {
        let headers: [(&str, &[u8]); 2] = [("content-type", b"t\nhost:h"), ("host", b"h")];
        assert!(verify_signed(&request(&headers), &request(&headers), &["content-type", "host"]).is_err());
    }

    #[test]
    fn the_order_in_which_a_client_lists_headers_does_not_matter() {
        let headers: [(&str, &[u8]); 2] = [("content-type", b"t"), ("host", b"h")];
        let request = request(&headers);
        let header = sign(&request, &["content-type", "host"], "2019-02-25", "cvm", "AKID", SECRET_KEY);
        let listed = header.replace("content-type;host", "host;content-type");
        let key = SigningKey::derive(SECRET_KEY, "2019-02-25", "cvm");
        assert!(verify(&request, &Authorization::parse(&listed).unwrap(), &key).is_ok());
    }

    #[test]
    fn a_path_that_was_not_signed_is_the_fixed_path() {
        let headers: [(&str, &[u8]); 2] = [("content-type", b"T"), ("host", b"h:1")];
        let sent = request(&headers);
        let received = Request { path: "/tc_api", ..sent };
        let verified = |sent: &Request<'_>| {
            verify_signed(sent, &received, &["content-type", "host"]).ok().map(|verified| verified.reading)
        };
        assert_eq!(verified(&sent), Some(Reading::FixedPath));
        let lowered: [(&str, &[u8]); 2] = [("content-type", b"t"), ("host", b"h:1")];
        assert_eq!(verified(&request(&lowered)), Some(Reading::FixedPathLowercasedValues));
        let other = Request { path: "/other", ..sent };
        assert_eq!(verified(&other), None);
        // No client leaves out both the port and the path.
        let neither: [(&str, &[u8]); 2] = [("content-type", b"T"), ("host", b"h")];
        assert_eq!(verified(&request(&neither)), None);
    }

    /// A decoder that gives up half way leaves zeros behind, which must not stand in for the digits it could not read.
    #[test]
    fn a_signature_that_is_not_hexadecimal_is_refused() {
        let headers: [(&str, &[u8]); 2] = [("content-type", b"t"), ("host", b"h")];
        let key = SigningKey::derive(SECRET_KEY, "2019-02-25", "cvm");
        let (timestamp, header) = (0..10_000)
            .map(|second| {
                let timestamp = second.to_string();
                let sent = Request { timestamp: &timestamp, ..request(&headers) };
                let header = sign(&sent, &["content-type", "host"], "2019-02-25", "cvm", "AKID", SECRET_KEY);
                (timestamp, header)
            })
            .find(|(_, header)| header.ends_with("00"))
            .unwrap();
        let received = Request { timestamp: &timestamp, ..request(&headers) };
        let genuine = Authorization::parse(&header).unwrap();
        assert!(verify(&received, &genuine, &key).is_ok());
        for signature in [&format!("{}zz", &genuine.signature[..62]), &genuine.signature[..62], ""] {
            let altered = Authorization { signature, ..genuine.clone() };
            assert!(verify(&received, &altered, &key).is_err(), "{signature}");
        }
    }

    #[test]
    fn a_host_with_a_scheme_is_signed_to_the_letter() {
        let headers: [(&str, &[u8]); 2] = [("content-type", b"t"), ("host", b"http://127.0.0.1:8080")];
        let verified = verify_signed(&request(&headers), &request(&headers), &["content-type", "host"]);
        assert_eq!(verified, Ok(Verified { reading: Reading::AsSent }));
    }

    #[test]
    fn a_signature_belongs_to_one_canonical_request_and_timestamp() {
        let headers: [(&str, &[u8]); 2] = [("content-type", b"t"), ("host", b"h")];
        let request = request(&headers);
        let header = sign(&request, &["content-type", "host"], "2019-02-25", "cvm", "AKID", SECRET_KEY);
        let authorization = Authorization::parse(&header).unwrap();
        let key = SigningKey::derive(SECRET_KEY, "2019-02-25", "cvm");
        let text = Canonical::new(&request, &authorization.signed_headers).text(Reading::AsSent);
        assert!(was_made_over(&authorization, text.as_bytes(), request.timestamp, &key));
        assert!(!was_made_over(&authorization, format!("{text}\n").as_bytes(), request.timestamp, &key));
        assert!(!was_made_over(&authorization, text.as_bytes(), "1551113066", &key));
        let other = SigningKey::derive("other", "2019-02-25", "cvm");
        assert!(!was_made_over(&authorization, text.as_bytes(), request.timestamp, &other));
        let unreadable = Authorization { signature: "zz", ..authorization.clone() };
        assert!(!was_made_over(&unreadable, text.as_bytes(), request.timestamp, &key));
    }

    #[test]
    fn the_timestamp_is_signed_as_text() {
        let headers: [(&str, &[u8]); 2] = [("content-type", b"t"), ("host", b"h")];
        let sent = Request { timestamp: "+01551113065", ..request(&headers) };
        assert!(verify_signed(&sent, &sent, &["content-type", "host"]).is_ok());
        assert!(verify_signed(&sent, &request(&headers), &["content-type", "host"]).is_err());
    }

    #[test]
    fn the_stated_hash_of_the_body_is_checked() {
        let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        for (stated, matches) in [
            (hash, true),
            (&format!(" {hash} "), true),
            (&hash.to_uppercase(), true),
            ("UNSIGNED-PAYLOAD", true),
            ("unsigned-payload", false),
            ("", false),
            (&hash[1..], false),
            ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false),
        ] {
            let headers = [("X-Tc-Content-Sha256", stated.as_bytes())];
            assert_eq!(content_sha256_matches(&request(&headers)), matches, "{stated}");
        }
        assert!(content_sha256_matches(&request(&[])));
        let one_wrong = [("x-tc-content-sha256", hash.as_bytes()), ("x-tc-content-sha256", b"0")];
        assert!(!content_sha256_matches(&request(&one_wrong)));
    }

    #[test]
    fn a_stated_hash_does_not_change_what_is_signed() {
        let hash = b"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let headers: [(&str, &[u8]); 3] =
            [("content-type", b"t"), ("host", b"h"), ("x-tc-content-sha256", hash)];
        let received = request(&headers);
        assert!(verify_signed(&request(&headers[..2]), &received, &["content-type", "host"]).is_ok());
        // Nor does saying so make a signed payload an unsigned one.
        let unsigned: [(&str, &[u8]); 3] =
            [headers[0], headers[1], ("x-tc-content-sha256", b"UNSIGNED-PAYLOAD")];
        assert!(
            verify_signed(&request(&headers[..2]), &request(&unsigned), &["content-type", "host"]).is_err()
        );
    }

    #[test]
    fn a_scope_date_is_the_day_in_utc() {
        for (timestamp, date) in [
            (0, Some("1970-01-01")),
            (-1, Some("1969-12-31")),
            (1_551_113_065, Some("2019-02-25")),
            (1_551_139_199, Some("2019-02-25")),
            (1_551_139_200, Some("2019-02-26")),
            (1_582_934_400, Some("2020-02-29")),
            (253_402_300_799, Some("9999-12-31")),
            (253_402_300_800, None),
            (-62_167_219_200, Some("0000-01-01")),
            (-62_167_219_201, None),
            (i64::MAX, None),
            (i64::MIN, None),
        ] {
            assert_eq!(scope_date(timestamp).as_deref(), date, "{timestamp}");
        }
    }

    #[test]
    fn signing_sorts_lowers_and_counts_names_once() {
        let headers: [(&str, &[u8]); 3] = [("content-type", b"t"), ("host", b"h"), ("x-a", b"1")];
        let header = sign(
            &request(&headers),
            &["X-A", "host", "Content-Type", "host"],
            "2019-02-25",
            "cvm",
            "AKID",
            "k",
        );
        assert_eq!(Authorization::parse(&header).unwrap().signed_headers, ["content-type", "host", "x-a"]);
    }
}
