//! The `Authorization` header: `TC3-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.

use super::{ALGORITHM, TERMINATOR, is_date};

/// The parsed value of an `Authorization` header. [`Authorization::parse`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authorization<'a> {
    /// Who signed; not empty.
    pub secret_id: &'a str,
    /// The scope's UTC date, `YYYY-MM-DD`.
    pub date: &'a str,
    /// The scope's service: not empty, otherwise opaque. Some SDKs send the first label of an address, as in `127`.
    pub service: &'a str,
    /// Names in lower case, in the order listed, without repetitions; `content-type` and `host` are among them.
    pub signed_headers: Vec<&'a str>,
    /// 64 lower-case hexadecimal digits.
    pub signature: &'a str,
}

/// The part of an `Authorization` header that does not conform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// The header does not begin with `TC3-HMAC-SHA256` and a space.
    #[error("the scheme is not `TC3-HMAC-SHA256`")]
    Scheme,
    /// A part is not one of `Credential=`, `SignedHeaders=` and `Signature=`, or comes twice.
    #[error("the header has an unknown or repeated part")]
    Part,
    /// `Credential` is missing, or has fewer than four segments.
    #[error("`Credential` is not `<SecretId>/<date>/<service>/tc3_request`")]
    Credential,
    /// The `SecretId` in `Credential` is empty or holds a character other than visible ASCII.
    #[error("`SecretId` in `Credential` is not valid")]
    SecretId,
    /// The date in `Credential` is not a date written `YYYY-MM-DD`.
    #[error("`Date` in `Credential` is not valid")]
    Date,
    /// The service in `Credential` is empty, or holds `/` or a character other than visible ASCII.
    #[error("`Service` in `Credential` is not valid")]
    Service,
    /// `Credential` does not end in `/tc3_request`.
    #[error("`Credential` does not end in `/tc3_request`")]
    Terminator,
    /// `SignedHeaders` is missing, repeats a name, names no `content-type` or no `host`, or holds something other than
    /// header names in lower case joined by `;`.
    #[error("`SignedHeaders` is not a list of lower-case names with `content-type` and `host`")]
    SignedHeaders,
    /// `Signature` is missing or is not 64 lower-case hexadecimal digits.
    #[error("`Signature` is not 64 lower-case hexadecimal digits")]
    Signature,
}

impl AuthorizationError {
    /// The name of the part, as the platform's message about it would put it, e.g. `Service`.
    #[must_use]
    pub const fn part(self) -> &'static str {
        match self {
            Self::Scheme => "Algorithm",
            Self::Part => "Authorization",
            Self::Credential => "Credential",
            Self::SecretId => "SecretId",
            Self::Date => "Date",
            Self::Service => "Service",
            Self::Terminator => TERMINATOR,
            Self::SignedHeaders => "SignedHeaders",
            Self::Signature => "Signature",
        }
    }
}

impl<'a> Authorization<'a> {
    /// Parses the value of the header.
    ///
    /// Lenient where clients differ: any number of blanks after the scheme (.NET sends two) and around the commas, and any
    /// order of the three parts. Strict about everything else. `SKIP` is not a signature and is a [`AuthorizationError::Scheme`].
    ///
    /// # Errors
    ///
    /// [`AuthorizationError`], the first part that does not conform, in the order of its variants.
    pub fn parse(value: &'a str) -> Result<Self, AuthorizationError> {
        let parts = trim(value).strip_prefix(ALGORITHM).ok_or(AuthorizationError::Scheme)?;
        if !parts.starts_with(BLANKS) {
            return Err(AuthorizationError::Scheme);
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        let mut rest = Some(parts);
        while let Some(parts) = rest {
            let (part, after) = cut(parts, b',').map_or((parts, None), |(part, after)| (part, Some(after)));
            rest = after;
            let (name, value) = cut(trim(part), b'=').ok_or(AuthorizationError::Part)?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(AuthorizationError::Part),
            };
            if slot.replace(value).is_some() {
                return Err(AuthorizationError::Part);
            }
        }
        let (secret_id, date, service) = parse_credential(credential.ok_or(AuthorizationError::Credential)?)?;
        let signed_headers = signed_headers.ok_or(AuthorizationError::SignedHeaders)?;
        Ok(Self {
            secret_id,
            date,
            service,
            signed_headers: parse_signed_headers(signed_headers)?,
            signature: signature.filter(|text| is_signature(text)).ok_or(AuthorizationError::Signature)?,
        })
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// What stands before and after the first `sign`, which is ASCII.
fn cut(text: &str, sign: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(sign, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether every byte is one of those. Looking at all of them, with no early end, is what the compiler does in few steps.
fn is_all(text: &str, conforms: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & conforms(byte))
}

fn trim(text: &str) -> &str {
    text.trim_matches(BLANKS)
}

fn parse_credential(text: &str) -> Result<(&str, &str, &str), AuthorizationError> {
    let (secret_id, scope) = cut(text, b'/').ok_or(AuthorizationError::Credential)?;
    let (date, rest) = cut(scope, b'/').ok_or(AuthorizationError::Credential)?;
    let (service, terminator) = rest.rsplit_once('/').ok_or(AuthorizationError::Credential)?;
    let is_visible = |text: &str| !text.is_empty() && is_all(text, |byte| byte.is_ascii_graphic());
    if !is_visible(secret_id) {
        return Err(AuthorizationError::SecretId);
    }
    if !is_date(date) {
        return Err(AuthorizationError::Date);
    }
    if !is_visible(service) || service.contains('/') {
        return Err(AuthorizationError::Service);
    }
    if terminator != TERMINATOR {
        return Err(AuthorizationError::Terminator);
    }
    Ok((secret_id, date, service))
}

fn parse_signed_headers(text: &str) -> Result<Vec<&str>, AuthorizationError> {
    let mut names = Vec::with_capacity(4);
    let mut rest = text;
    while let Some((name, after)) = cut(rest, b';') {
        names.push(name);
        rest = after;
    }
    names.push(rest);
    let repeats = || {
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.array_windows().any(|[one, next]| one == next)
    };
    // Strictly ascending names, which every SDK sends, cannot repeat.
    let ascending = names.array_windows().all(|[one, next]| one < next);
    let conforms = names.iter().all(|name| is_lower_name(name))
        && names.contains(&"content-type")
        && names.contains(&"host")
        && (ascending || !repeats());
    if conforms { Ok(names) } else { Err(AuthorizationError::SignedHeaders) }
}

/// Whether `name` is a header name (a token of RFC 9110) without upper-case letters.
fn is_lower_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9') || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_signature(text: &str) -> bool {
    text.len() == 64 && is_all(text, |byte| byte.is_ascii_digit() | matches!(byte, b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168";

    fn header(credential: &str, signed_headers: &str, signature: &str) -> String {
        format!(
            "TC3-HMAC-SHA256 Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}"
        )
    }

    fn with_credential(credential: &str) -> Result<(), AuthorizationError> {
        Authorization::parse(&header(credential, "content-type;host", SIGNATURE)).map(|_| ())
    }

    fn with_signed_headers(signed_headers: &str) -> Result<(), AuthorizationError> {
        Authorization::parse(&header("AKID/2019-02-25/cvm/tc3_request", signed_headers, SIGNATURE))
            .map(|_| ())
    }

    fn with_signature(signature: &str) -> Result<(), AuthorizationError> {
        Authorization::parse(&header("AKID/2019-02-25/cvm/tc3_request", "content-type;host", signature))
            .map(|_| ())
    }

    #[test]
    fn reads_every_part() {
        let text =
            header("AKID/2019-02-25/localhost:8080/tc3_request", "content-type;host;x-tc-action", SIGNATURE);
        let expected = Authorization {
            secret_id: "AKID",
            date: "2019-02-25",
            service: "localhost:8080",
            signed_headers: vec!["content-type", "host", "x-tc-action"],
            signature: SIGNATURE,
        };
        assert_eq!(Authorization::parse(&text), Ok(expected));
    }

    #[test]
    fn blanks_and_the_order_of_parts_do_not_matter() {
        let strict = header("AKID/2019-02-25/cvm/tc3_request", "content-type;host", SIGNATURE);
        let two_spaces = strict.replacen(' ', "  ", 1);
        let no_spaces = strict.replace(", ", ",");
        let wide = format!(" \t{} ", strict.replace(", ", "\t , "));
        let reordered = format!(
            "TC3-HMAC-SHA256 Signature={SIGNATURE}, SignedHeaders=content-type;host, Credential=AKID/2019-02-25/cvm/tc3_request"
        );
        for variant in [two_spaces, no_spaces, wide, reordered] {
            assert_eq!(Authorization::parse(&variant), Authorization::parse(&strict), "{variant}");
            assert!(Authorization::parse(&variant).is_ok());
        }
    }

    #[test]
    fn another_scheme_is_refused() {
        let strict = header("AKID/2019-02-25/cvm/tc3_request", "content-type;host", SIGNATURE);
        for text in [
            "",
            "SKIP",
            "TC3-HMAC-SHA256",
            &strict.replacen("TC3-HMAC-SHA256", "AWS4-HMAC-SHA256", 1),
            &strict.replacen("TC3-HMAC-SHA256", "tc3-hmac-sha256", 1),
            &strict.replacen("TC3-HMAC-SHA256 ", "TC3-HMAC-SHA256", 1),
            &strict.replacen("TC3-HMAC-SHA256 ", "TC3-HMAC-SHA256X ", 1),
        ] {
            assert_eq!(Authorization::parse(text), Err(AuthorizationError::Scheme), "{text}");
        }
    }

    #[test]
    fn unknown_and_repeated_parts_are_refused() {
        let strict = header("AKID/2019-02-25/cvm/tc3_request", "content-type;host", SIGNATURE);
        for text in [
            "TC3-HMAC-SHA256 x",
            &format!("{strict},"),
            &format!("{strict}, Timestamp=1551113065"),
            &format!("{strict}, Signature={SIGNATURE}"),
            &strict.replace("Credential=", "credential="),
            &strict.replace(", SignedHeaders", " SignedHeaders, x"),
        ] {
            assert_eq!(Authorization::parse(text), Err(AuthorizationError::Part), "{text}");
        }
    }

    #[test]
    fn each_missing_part_is_named() {
        let parse = |parts: &str| Authorization::parse(&format!("TC3-HMAC-SHA256 {parts}")).unwrap_err();
        let credential = "Credential=AKID/2019-02-25/cvm/tc3_request";
        let signed_headers = "SignedHeaders=content-type;host";
        let signature = format!("Signature={SIGNATURE}");
        assert_eq!(parse(&format!("{signed_headers}, {signature}")), AuthorizationError::Credential);
        assert_eq!(parse(&format!("{credential}, {signature}")), AuthorizationError::SignedHeaders);
        assert_eq!(parse(&format!("{credential}, {signed_headers}")), AuthorizationError::Signature);
    }

    #[test]
    fn each_bad_segment_of_the_credential_is_named() {
        for (credential, error) in [
            ("", AuthorizationError::Credential),
            ("AKID", AuthorizationError::Credential),
            ("AKID/2019-02-25", AuthorizationError::Credential),
            ("AKID/2019-02-25/tc3_request", AuthorizationError::Credential),
            ("/2019-02-25/cvm/tc3_request", AuthorizationError::SecretId),
            ("AK ID/2019-02-25/cvm/tc3_request", AuthorizationError::SecretId),
            ("AKID//cvm/tc3_request", AuthorizationError::Date),
            ("AKID/20190225/cvm/tc3_request", AuthorizationError::Date),
            ("AKID/2019-2-25/cvm/tc3_request", AuthorizationError::Date),
            ("AKID/2019-02-30/cvm/tc3_request", AuthorizationError::Date),
            ("AKID/2019-13-01/cvm/tc3_request", AuthorizationError::Date),
            ("AKID/+019-02-25/cvm/tc3_request", AuthorizationError::Date),
            ("AKID/2019-02-25-/cvm/tc3_request", AuthorizationError::Date),
            ("AKID/2019-02-25//tc3_request", AuthorizationError::Service),
            ("AKID/2019-02-25/c/vm/tc3_request", AuthorizationError::Service),
            ("AKID/2019-02-25/c vm/tc3_request", AuthorizationError::Service),
            ("AKID/2019-02-25/cvm\n/tc3_request", AuthorizationError::Service),
            ("AKID/2019-02-25/cvm/", AuthorizationError::Terminator),
            ("AKID/2019-02-25/cvm/aws4_request", AuthorizationError::Terminator),
        ] {
            assert_eq!(with_credential(credential), Err(error), "{credential:?}");
        }
        assert_eq!(with_credential("AKID/2020-02-29/127/tc3_request"), Ok(()));
    }

    #[test]
    fn signed_headers_need_content_type_and_host_in_lower_case_once() {
        for names in [
            "",
            "host",
            "content-type",
            "content-type;",
            "content-type;;host",
            "content-type;Host",
            "content-type;host;host",
            "host;content-type;host",
            "content-type; host",
            "content-type;host;x:y",
        ] {
            assert_eq!(with_signed_headers(names), Err(AuthorizationError::SignedHeaders), "{names}");
        }
        assert_eq!(with_signed_headers("content-type;host;x_y.z~1"), Ok(()));
        assert_eq!(with_signed_headers("host;content-type"), Ok(()));
    }

    #[test]
    fn a_signature_is_64_lower_case_hexadecimal_digits() {
        for signature in
            ["", &SIGNATURE[1..], &SIGNATURE.to_uppercase(), &SIGNATURE.replace('7', "g"), &"é".repeat(32)]
        {
            assert_eq!(with_signature(signature), Err(AuthorizationError::Signature), "{signature}");
        }
        assert_eq!(with_signature(&format!("{SIGNATURE}0")), Err(AuthorizationError::Signature));
        assert_eq!(with_signature(SIGNATURE), Ok(()));
    }
}
