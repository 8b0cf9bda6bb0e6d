//! Requests captured from official clients, with the key pair of the public documentation. `data/captures.json` holds
//! each one as received: label, method, target, headers in order, body.

#![allow(clippy::unwrap_used, reason = "the helpers of a test fail by panicking, as the test itself does")]

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use rookery_tc3::{v1, v3};
use serde::Deserialize;

const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

#[derive(Deserialize)]
struct Capture {
    client: String,
    label: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Capture {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("data/captures.json")).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Path and query of the target, which is in absolute form where a client goes through a proxy.
    fn path_and_query(&self) -> (&str, &str) {
        let origin_form = match self.target.strip_prefix("http://") {
            Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
            None => &self.target,
        };
        origin_form.split_once('?').unwrap_or((origin_form, ""))
    }
}

/// A signed v3 request in parts that a test may change one by one.
#[derive(Clone)]
struct Signed3 {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    timestamp: String,
    authorization: String,
    date: Option<String>,
    service: Option<String>,
    secret_key: String,
}

impl Signed3 {
    fn of(capture: &Capture) -> Option<Self> {
        let authorization = capture.header("authorization").filter(|value| *value != "SKIP")?;
        let (path, query) = capture.path_and_query();
        Some(Self {
            method: capture.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: capture.headers.iter().map(|(n, v)| (n.clone(), v.clone().into_bytes())).collect(),
            body: capture.body.clone().into_bytes(),
            timestamp: capture.header("x-tc-timestamp").unwrap().to_owned(),
            authorization: authorization.to_owned(),
            date: None,
            service: None,
            secret_key: SECRET_KEY.to_owned(),
        })
    }

    /// Verifies as a server does: the key is derived from the scope of the request.
    fn verify(&self) -> Option<v3::Reading> {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = v3::Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: &self.body,
            timestamp: &self.timestamp,
        };
        let mut authorization = v3::Authorization::parse(&self.authorization).unwrap();
        authorization.date = self.date.as_deref().unwrap_or(authorization.date);
        authorization.service = self.service.as_deref().unwrap_or(authorization.service);
        let key = v3::SigningKey::derive(&self.secret_key, authorization.date, authorization.service);
        v3::verify(&request, &authorization, &key).ok().map(|verified| verified.reading)
    }

    fn parsed(&self) -> v3::Authorization<'_> {
        v3::Authorization::parse(&self.authorization).unwrap()
    }

    fn value(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)).unwrap().1
    }
}

/// Every text that differs from `text` in the lowest bit of one ASCII byte.
fn flips(text: &str) -> impl Iterator<Item = String> + '_ {
    (0..text.len()).filter(|&at| text.as_bytes()[at].is_ascii()).map(|at| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] ^= 1;
        String::from_utf8(bytes).unwrap()
    })
}

fn expected_v3(capture: &Capture) -> v3::Reading {
    if capture.client.contains("nodejs") {
        v3::Reading::HostWithoutPort
    } else if capture.path_and_query().0 != "/" {
        v3::Reading::FixedPath
    } else {
        v3::Reading::AsSent
    }
}

#[test]
fn every_v3_capture_verifies_and_names_its_reading() {
    let mut readings = BTreeMap::new();
    for capture in Capture::all() {
        let Some(signed) = Signed3::of(&capture) else { continue };
        let reading = signed.verify().unwrap_or_else(|| panic!("{} {}", capture.client, capture.label));
        assert_eq!(reading, expected_v3(&capture), "{} {}", capture.client, capture.label);
        *readings.entry(reading.name()).or_insert(0) += 1;
    }
    assert_eq!(readings, BTreeMap::from([("as-sent", 36), ("fixed-path", 1), ("host-without-port", 10)]));
}

#[test]
fn the_scope_date_of_every_v3_capture_is_that_of_its_timestamp() {
    for signed in Capture::all().iter().filter_map(Signed3::of) {
        let date = v3::scope_date(signed.timestamp.parse().unwrap());
        assert_eq!(date.as_deref(), Some(signed.parsed().date));
    }
}

#[test]
fn captures_without_a_signature_are_skip() {
    let skipped: Vec<_> = Capture::all()
        .into_iter()
        .filter(|capture| capture.header("authorization") == Some("SKIP"))
        .inspect(|capture| {
            let parsed = v3::Authorization::parse(capture.header("authorization").unwrap());
            assert_eq!(parsed, Err(v3::AuthorizationError::Scheme));
        })
        .collect();
    assert_eq!(skipped.len(), 3);
}

#[test]
fn a_v3_capture_with_one_byte_flipped_is_refused() {
    for capture in Capture::all() {
        let Some(signed) = Signed3::of(&capture) else { continue };
        let case = |what: &str, text: &str| format!("{} {}: {what} {text:?}", capture.client, capture.label);
        let refused = |what: &str, text: &str, change: &dyn Fn(&mut Signed3)| {
            let mut changed = signed.clone();
            change(&mut changed);
            assert_eq!(changed.verify(), None, "{}", case(what, text));
        };
        for method in flips(&signed.method) {
            refused("method", &method, &|s| s.method.clone_from(&method));
        }
        if signed.method == "GET" {
            for query in flips(&signed.query) {
                refused("query", &query, &|s| s.query.clone_from(&query));
            }
        }
        for timestamp in flips(&signed.timestamp) {
            refused("timestamp", &timestamp, &|s| s.timestamp.clone_from(&timestamp));
        }
        for date in flips(signed.parsed().date) {
            refused("date", &date, &|s| s.date = Some(date.clone()));
        }
        for service in flips(signed.parsed().service) {
            refused("service", &service, &|s| s.service = Some(service.clone()));
        }
        for secret_key in flips(SECRET_KEY) {
            refused("secret key", "", &|s| s.secret_key.clone_from(&secret_key));
        }
        for at in 0..64 {
            let signature = signed.parsed().signature.to_owned();
            let digit = if signature.as_bytes()[at] == b'0' { "1" } else { "0" };
            let changed = format!("{}{digit}{}", &signature[..at], &signature[at + 1..]);
            refused("signature", &changed, &|s| {
                s.authorization = s.authorization.replace(&signature, &changed);
            });
        }
        for name in signed.parsed().signed_headers {
            let value = capture.header(name).unwrap();
            // The Node SDK leaves the port out of its signature, so the digits of the port are not protected.
            let unsigned = match value.rfind(':') {
                Some(colon) if name == "host" && expected_v3(&capture) == v3::Reading::HostWithoutPort => {
                    colon + 1
                }
                _ => value.len(),
            };
            for (at, flipped) in flips(value).enumerate() {
                let mut changed = signed.clone();
                *changed.value(name) = flipped.clone().into_bytes();
                assert_eq!(changed.verify().is_none(), at < unsigned, "{}", case(name, &flipped));
            }
        }
    }
}

#[test]
fn a_v3_capture_with_one_bit_of_its_body_flipped_is_refused() {
    for capture in Capture::all() {
        let Some(signed) = Signed3::of(&capture) else { continue };
        let unsigned = capture.header("x-tc-content-sha256") == Some(v3::UNSIGNED_PAYLOAD);
        for at in 0..signed.body.len() {
            let mut changed = signed.clone();
            changed.body[at] ^= 1 << (at % 8);
            assert_eq!(
                changed.verify().is_some(),
                unsigned,
                "{} {} body {at}",
                capture.client,
                capture.label
            );
        }
    }
}

/// The documented rule signs values in lower case, so a value that was signed in lower case may change its case.
#[test]
fn a_change_of_letter_case_is_accepted_only_as_lowercased_values() {
    let captures = Capture::all();
    let capture = captures.iter().find(|capture| capture.label.starts_with("python TC3")).unwrap();
    let mut signed = Signed3::of(capture).unwrap();
    signed.value("content-type").make_ascii_uppercase();
    assert_eq!(signed.verify(), Some(v3::Reading::LowercasedValues));
}

/// A signed v1 request in parts that a test may change one by one.
#[derive(Clone)]
struct Signed1 {
    method: String,
    host: Vec<u8>,
    path: String,
    parameters: Vec<(String, String)>,
    signature: String,
    secret_key: String,
}

impl Signed1 {
    fn of(capture: &Capture) -> Option<Self> {
        if capture.header("authorization").is_some() {
            return None;
        }
        let (path, query) = capture.path_and_query();
        let text = if capture.method == "GET" { query } else { &capture.body };
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
        let parameters: Vec<_> = text
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        let (_, signature) = parameters.iter().find(|(name, _)| name == "Signature")?.clone();
        Some(Self {
            method: capture.method.clone(),
            host: capture.header("host").unwrap().as_bytes().to_vec(),
            path: path.to_owned(),
            parameters,
            signature,
            secret_key: SECRET_KEY.to_owned(),
        })
    }

    fn verify(&self) -> Option<v1::Reading> {
        let named = self.parameters.iter().find(|(name, _)| name == "SignatureMethod");
        let method = v1::Method::from_parameter(named.map(|(_, value)| value.as_str()));
        let request = v1::Request {
            method: &self.method,
            host: &self.host,
            path: &self.path,
            parameters: &self.parameters,
        };
        v1::verify(&request, method, &self.signature, &self.secret_key).ok()
    }
}

#[test]
fn every_v1_capture_verifies_as_sent() {
    let captures = Capture::all();
    let signed = captures.iter().filter_map(|capture| Some((capture, Signed1::of(capture)?)));
    let verified = signed.inspect(|(capture, signed)| {
        assert_eq!(signed.verify(), Some(v1::Reading::AsSent), "{} {}", capture.client, capture.label);
    });
    assert_eq!(verified.count(), 36);
}

#[test]
fn a_v1_capture_with_one_byte_flipped_is_refused() {
    for capture in Capture::all() {
        let Some(signed) = Signed1::of(&capture) else { continue };
        let refused = |what: &str, change: &dyn Fn(&mut Signed1)| {
            let mut changed = signed.clone();
            change(&mut changed);
            assert_eq!(changed.verify(), None, "{} {}: {what}", capture.client, capture.label);
        };
        for method in flips(&signed.method) {
            refused(&method, &|s| s.method.clone_from(&method));
        }
        for path in flips(&signed.path) {
            refused(&path, &|s| s.path.clone_from(&path));
        }
        for host in flips(std::str::from_utf8(&signed.host).unwrap()) {
            refused(&host, &|s| s.host = host.clone().into_bytes());
        }
        for secret_key in flips(SECRET_KEY) {
            refused("secret key", &|s| s.secret_key.clone_from(&secret_key));
        }
        for signature in flips(&signed.signature) {
            refused(&signature, &|s| s.signature.clone_from(&signature));
        }
        for (position, (name, value)) in signed.parameters.iter().enumerate() {
            if name == "Signature" {
                continue;
            }
            for name in flips(name) {
                refused(&name, &|s| s.parameters[position].0.clone_from(&name));
            }
            for value in flips(value) {
                refused(&value, &|s| s.parameters[position].1.clone_from(&value));
            }
        }
    }
}
