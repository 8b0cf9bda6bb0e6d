//! The mistakes that clients make under signature v3.

use rookery_api::PRODUCTS;
use rookery_tc3::v3::{self, Authorization, SigningKey, UNSIGNED_PAYLOAD, UnusableHeader};

use super::{Cause, LikelyCause, mistaken_hosts, mistaken_keys, neighbours, respelling};

/// A larger body is not spelt in other ways: that would cost many times what the refusal did.
const RESPELT: usize = 64 * 1024;

/// Content types that clients sign, apart from the one they send.
const CONTENT_TYPES: [&str; 9] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=utf-8",
    "application/json; charset=UTF-8",
    "application/json;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "multipart/form-data",
    "text/plain; charset=utf-8",
];

/// A v3 request whose signature was refused.
#[derive(Clone, Copy, Debug)]
pub struct RefusedV3<'a> {
    /// The request as it was verified.
    pub request: v3::Request<'a>,
    /// Its `Authorization`.
    pub authorization: &'a Authorization<'a>,
    /// What the server knows as the SecretKey.
    pub secret_key: &'a str,
    /// The timestamp in numbers.
    pub timestamp: i64,
    /// The region of the call, where it names one.
    pub region: Option<&'a str>,
}

/// A canonical request in parts.
#[derive(Clone)]
struct Signed {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    payload_hash: String,
    blank_line: bool,
    final_line_break: bool,
}

impl Signed {
    fn text(&self) -> Vec<u8> {
        let mut text = format!("{}\n{}\n{}\n", self.method, self.path, self.query).into_bytes();
        for (name, value) in &self.headers {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        if self.blank_line {
            text.push(b'\n');
        }
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        text.extend_from_slice(names.join(";").as_bytes());
        text.push(b'\n');
        text.extend_from_slice(self.payload_hash.as_bytes());
        if self.final_line_break {
            text.push(b'\n');
        }
        text
    }

    fn with_header(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        for (_, old) in changed.headers.iter_mut().filter(|(known, _)| known == name) {
            *old = value.as_bytes().to_vec();
        }
        changed
    }

    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| std::str::from_utf8(value).ok()).unwrap_or_default()
    }

    fn with_payload(&self, payload: &[u8]) -> Self {
        Self { payload_hash: v3::payload_hash(payload), ..self.clone() }
    }
}

/// The likely cause of a refusal; `None` where no known mistake explains it. `unusable` is what verification found wrong with headers.
#[must_use]
pub fn likely(refused: &RefusedV3<'_>, unusable: &[UnusableHeader]) -> Option<LikelyCause> {
    if let Some(header) = unusable.first() {
        return Some(Cause::SignedHeader(header.to_string()).into());
    }
    let received = received(refused);
    let RefusedV3 { authorization, secret_key, .. } = *refused;
    let key = SigningKey::derive(secret_key, authorization.date, authorization.service);
    let mut candidates = payloads(refused, &received);
    candidates.extend(heads(refused, &received));
    for (cause, signed) in candidates {
        let text = signed.text();
        if v3::was_made_over(authorization, &text, refused.request.timestamp, &key) {
            return Some(LikelyCause::with(&cause, &text));
        }
    }
    let text = received.text();
    outside_of_text(refused, &text, &key).map(|cause| LikelyCause::with(&cause, &text))
}

/// The canonical request of the bytes received.
fn received(refused: &RefusedV3<'_>) -> Signed {
    let RefusedV3 { request, authorization, .. } = refused;
    let mut names = authorization.signed_headers.clone();
    names.sort_unstable();
    let value = |name: &str| {
        let found = request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim_ascii().to_vec()).unwrap_or_default()
    };
    Signed {
        method: request.method.to_owned(),
        path: request.path.to_owned(),
        query: if request.method == "GET" { request.query.to_owned() } else { String::new() },
        headers: names.into_iter().map(|name| (name.to_owned(), value(name))).collect(),
        payload_hash: v3::payload_hash(payload(refused)),
        blank_line: true,
        final_line_break: false,
    }
}

fn is_unsigned(request: &v3::Request<'_>) -> bool {
    request.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case(v3::CONTENT_SHA256_HEADER)
            && value.trim_ascii() == UNSIGNED_PAYLOAD.as_bytes()
    })
}

fn payload<'a>(refused: &RefusedV3<'a>) -> &'a [u8] {
    match &refused.request {
        request if is_unsigned(request) => UNSIGNED_PAYLOAD.as_bytes(),
        request if request.method == "GET" => b"",
        request => request.body,
    }
}

/// Other payloads that may have been signed.
fn payloads(refused: &RefusedV3<'_>, received: &Signed) -> Vec<(Cause, Signed)> {
    let body = refused.request.body;
    if is_unsigned(&refused.request) {
        return vec![(Cause::UnsignedPayloadNotSigned, received.with_payload(body))];
    }
    let mut payloads: Vec<(Cause, Vec<u8>)> = vec![
        (Cause::BodyEmptySigned, Vec::new()),
        (Cause::BodyEmptyObjectSigned, b"{}".to_vec()),
        (Cause::UnsignedPayloadNotSaid, UNSIGNED_PAYLOAD.as_bytes().to_vec()),
    ];
    if body.len() <= RESPELT {
        for line_break in ["\n", "\r\n"] {
            if let Some(without) = body.strip_suffix(line_break.as_bytes()) {
                payloads.push((Cause::BodyLineBreakAdded, without.to_vec()));
            }
            payloads.push((Cause::BodyLineBreakDropped, [body, line_break.as_bytes()].concat()));
        }
        if let Some(json) = std::str::from_utf8(body).ok().filter(|text| !text.is_empty()) {
            payloads.extend(respelt(json));
        }
    }
    payloads.into_iter().map(|(cause, payload)| (cause, received.with_payload(&payload))).collect()
}

/// The same JSON as other libraries write it; nothing for what is no JSON.
fn respelt(json: &str) -> Vec<(Cause, Vec<u8>)> {
    let Some(sorted) = respelling::sorted(json) else { return Vec::new() };
    let compact = respelling::compact(json);
    let spaced = respelling::spaced(&compact);
    // The plainest explanation first: a text that was sorted already is a matter of spacing or escapes.
    let mut texts = vec![(Cause::BodySpacing, compact.clone()), (Cause::BodySpacing, spaced.clone())];
    for text in [json, &compact, &spaced] {
        texts.push((Cause::BodyEscapes, respelling::escaped(text)));
        texts.push((Cause::BodyEscapes, respelling::unescaped(text)));
    }
    texts.push((Cause::BodyOrder, respelling::spaced(&sorted)));
    texts.push((Cause::BodyOrder, sorted));
    texts.into_iter().map(|(cause, text)| (cause, text.into_bytes())).collect()
}

/// Other lines above the payload that may have been signed.
fn heads(refused: &RefusedV3<'_>, received: &Signed) -> Vec<(Cause, Signed)> {
    let mut heads = Vec::new();
    let sent = received.header("content-type");
    let media_type = |value: &str| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    for signed in CONTENT_TYPES.into_iter().filter(|signed| *signed != sent) {
        let same = media_type(signed) == media_type(sent);
        let cause = if same { Cause::ContentTypeCharset } else { Cause::ContentType };
        heads.push((cause(signed.to_owned()), received.with_header("content-type", signed)));
    }
    let bare = media_type(sent);
    heads.push((Cause::ContentTypeCharset(bare.clone()), received.with_header("content-type", &bare)));
    for (cause, host) in mistaken_hosts(received.header("host"), refused.region) {
        heads.push((cause, received.with_header("host", &host)));
    }
    for path in ["", "/", &format!("{}/", received.path), received.path.trim_end_matches('/')] {
        heads.push((Cause::Path(path.to_owned()), Signed { path: path.to_owned(), ..received.clone() }));
    }
    heads.extend(queries(refused, received));
    for method in ["GET", "POST", "get", "post"].into_iter().filter(|method| *method != received.method) {
        let mut signed = Signed { method: method.to_owned(), ..received.clone() };
        heads.push((Cause::Method(method), signed.clone()));
        // Who signs a GET signs its query and no body.
        if method == "GET" {
            refused.request.query.clone_into(&mut signed.query);
            heads.push((Cause::Method(method), signed.with_payload(b"")));
        }
        signed.query.clear();
        heads.push((Cause::Method(method), signed));
    }
    heads.push((Cause::BlankLineMissing, Signed { blank_line: false, ..received.clone() }));
    heads.push((Cause::FinalLineBreak, Signed { final_line_break: true, ..received.clone() }));
    heads
}

fn queries(refused: &RefusedV3<'_>, received: &Signed) -> Vec<(Cause, Signed)> {
    let sent = refused.request.query;
    if sent.is_empty() || sent.len() > RESPELT {
        return Vec::new();
    }
    let signed = |cause: Cause, query: String| (cause, Signed { query, ..received.clone() });
    if received.method != "GET" {
        return vec![signed(Cause::QuerySignedInPost, sent.to_owned())];
    }
    let mut queries = vec![
        signed(Cause::QueryLeftOut, String::new()),
        signed(Cause::QuerySorted, respelling::sorted_query(sent)),
    ];
    for spelt in respelling::queries(sent) {
        queries.push(signed(Cause::QuerySorted, respelling::sorted_query(&spelt)));
        queries.insert(0, signed(Cause::QueryEncoding, spelt));
    }
    queries
}

/// Mistakes that leave the canonical request as it is: the key, the scope, the timestamp.
fn outside_of_text(refused: &RefusedV3<'_>, text: &[u8], key: &SigningKey) -> Option<Cause> {
    let RefusedV3 { request, authorization, secret_key, timestamp, .. } = *refused;
    let (date, service) = (authorization.date, authorization.service);
    let fits =
        |scope: &Authorization<'_>, key: &SigningKey| v3::was_made_over(scope, text, request.timestamp, key);

    for (cause, mistaken) in mistaken_keys(authorization.secret_id, secret_key) {
        if fits(authorization, &SigningKey::derive(&mistaken, date, service)) {
            return Some(cause);
        }
    }
    let host = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = host.and_then(|(_, value)| std::str::from_utf8(value).ok()).unwrap_or_default();
    let first_label = host.split(['.', ':']).next().unwrap_or_default();
    let services = PRODUCTS.iter().map(|product| product.name).chain([first_label, host, ""]);
    let dates = neighbours(timestamp).map(|other| (service.to_owned(), other));
    for (service, date) in services.map(|other| (other.to_owned(), date.to_owned())).chain(dates) {
        let mut scope = authorization.clone();
        (scope.service, scope.date) = (&service, &date);
        let other_key = SigningKey::derive(secret_key, &date, &service);
        // The key, the text, or both.
        if fits(authorization, &other_key) || fits(&scope, key) || fits(&scope, &other_key) {
            return Some(if date == authorization.date {
                Cause::ScopeService(service)
            } else {
                Cause::ScopeDate(date)
            });
        }
    }
    let near = [-1, 1, -2, 2, -3, 3, -4, 4, -5, 5];
    near.into_iter()
        .find(|by| v3::was_made_over(authorization, text, &timestamp.saturating_add(*by).to_string(), key))
        .map(Cause::TimestampTakenTwice)
}
