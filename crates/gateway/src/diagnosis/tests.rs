//! Clients that make exactly one mistake each, and what is found out about it. They sign with code of their own.

use hmac::{Hmac, KeyInit, Mac};
use rookery_tc3::{v1, v3};
use sha2::{Digest, Sha256};

use super::*;

const SECRET_ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
const NOW: i64 = 1_551_113_065;

/// A v3 request, and beside it all that goes into its signature.
#[derive(Clone)]
struct Client {
    method: &'static str,
    path: &'static str,
    query: &'static str,
    content_type: &'static str,
    host: &'static str,
    content_sha256: Option<&'static str>,
    payload: Vec<u8>,
    timestamp: i64,
    date: &'static str,
    service: &'static str,
    secret_key: &'static str,
    signs_query: bool,
    blank_line: &'static str,
    end: &'static str,
}

fn post(body: &str) -> Client {
    Client {
        method: "POST",
        path: "/",
        query: "",
        content_type: "application/json",
        host: "tcr.tencentcloudapi.com",
        content_sha256: None,
        payload: body.as_bytes().to_vec(),
        timestamp: NOW,
        date: "2019-02-25",
        service: "tcr",
        secret_key: SECRET_KEY,
        signs_query: false,
        blank_line: "\n",
        end: "",
    }
}

fn get(query: &'static str) -> Client {
    Client {
        method: "GET",
        query,
        signs_query: true,
        content_type: "application/x-www-form-urlencoded",
        ..post("")
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

impl Client {
    fn canonical(&self) -> String {
        let query = if self.signs_query { self.query } else { "" };
        let hash = hex::encode(Sha256::digest(&self.payload));
        let Self { method, path, content_type, host, blank_line, end, .. } = self;
        format!(
            "{method}\n{path}\n{query}\ncontent-type:{content_type}\nhost:{host}\n{blank_line}content-type;host\n{hash}{end}"
        )
    }

    /// The signature of what this client signs, with the string to sign and the key each for a scope of its own.
    fn signature(&self, text_scope: (&str, &str), key_scope: (&str, &str)) -> String {
        let hash = hex::encode(Sha256::digest(self.canonical()));
        let (date, service) = text_scope;
        let text = format!("TC3-HMAC-SHA256\n{}\n{date}/{service}/tc3_request\n{hash}", self.timestamp);
        let key = hmac(format!("TC3{}", self.secret_key).as_bytes(), key_scope.0);
        let key = hmac(&hmac(&key, key_scope.1), "tc3_request");
        hex::encode(hmac(&key, &text))
    }

    /// What is found out when this request arrives with `signature`. It has to be refused in the first place.
    fn arrives(&self, signature: &str) -> Option<LikelyCause> {
        let header = format!(
            "TC3-HMAC-SHA256 Credential={SECRET_ID}/{}/{}/tc3_request, SignedHeaders=content-type;host, Signature={signature}",
            self.date, self.service
        );
        let authorization = v3::Authorization::parse(&header).unwrap();
        let timestamp = self.timestamp.to_string();
        let mut headers =
            vec![("Content-Type", self.content_type.as_bytes()), ("Host", self.host.as_bytes())];
        headers.extend(self.content_sha256.map(|value| ("X-TC-Content-SHA256", value.as_bytes())));
        let request = v3::Request {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &headers,
            body: &self.payload,
            timestamp: &timestamp,
        };
        let key = v3::SigningKey::derive(SECRET_KEY, self.date, self.service);
        let mismatch = v3::verify(&request, &authorization, &key).unwrap_err();
        let refused = RefusedV3 {
            request,
            authorization: &authorization,
            secret_key: SECRET_KEY,
            timestamp: self.timestamp,
            region: Some("ap-guangzhou"),
        };
        likely_v3(&refused, &mismatch.unusable_headers)
    }

    /// What is found out about a client that signs what `mistake` makes of this request, and sends the request itself.
    fn after(&self, mistake: impl FnOnce(&mut Self)) -> String {
        let mut signed = self.clone();
        mistake(&mut signed);
        let scope = (signed.date, signed.service);
        let Some(found) = self.arrives(&signed.signature(scope, scope)) else { return "none".to_owned() };
        assert!(!found.sentence.is_empty());
        if signed.secret_key == SECRET_KEY
            && scope == (self.date, self.service)
            && signed.timestamp == self.timestamp
        {
            assert_eq!(found.signed.as_deref(), Some(signed.canonical().as_str()));
        }
        found.cause.to_owned()
    }

    fn after_payload(&self, signed: &str) -> String {
        self.after(|client| client.payload = signed.as_bytes().to_vec())
    }
}

#[test]
fn a_body_that_was_serialised_again() {
    let sent = r#"{"Name":"镜像","Limit":1.0,"A":[1,2]}"#;
    assert_eq!(post(sent).after_payload(r#"{"Name": "镜像", "Limit": 1.0, "A": [1, 2]}"#), "body-spacing");
    assert_eq!(post(r#"{ "b": 1 }"#).after_payload(r#"{"b":1}"#), "body-spacing");
    assert_eq!(post(sent).after_payload(r#"{"A":[1,2],"Limit":1.0,"Name":"镜像"}"#), "body-order");
    assert_eq!(post(sent).after_payload(r#"{"A": [1, 2], "Limit": 1.0, "Name": "镜像"}"#), "body-order");
    assert_eq!(post(sent).after_payload(r#"{"Name":"\u955c\u50cf","Limit":1.0,"A":[1,2]}"#), "body-escapes");
    assert_eq!(
        post(sent).after_payload(r#"{"Name": "\u955c\u50cf", "Limit": 1.0, "A": [1, 2]}"#),
        "body-escapes"
    );
    assert_eq!(post(r#"{"a":"\u955c"}"#).after_payload(r#"{"a":"镜"}"#), "body-escapes");
}

#[test]
fn a_body_that_lost_or_gained_its_end() {
    assert_eq!(post("{\"a\":1}\n").after_payload("{\"a\":1}"), "body-line-break-added");
    assert_eq!(post("{\"a\":1}\r\n").after_payload("{\"a\":1}"), "body-line-break-added");
    assert_eq!(post("{\"a\":1}").after_payload("{\"a\":1}\n"), "body-line-break-dropped");
    assert_eq!(post("{\"a\":1}").after_payload(""), "body-empty-signed");
    assert_eq!(post("{\"a\":1}").after_payload("{}"), "body-empty-object-signed");
    assert_eq!(post("").after_payload("{}"), "body-empty-object-signed");
}

#[test]
fn a_payload_that_is_unsigned_on_one_side_only() {
    assert_eq!(post("{}").after_payload("UNSIGNED-PAYLOAD"), "unsigned-payload-not-said");
    let said = Client { content_sha256: Some("UNSIGNED-PAYLOAD"), ..post("{}") };
    assert_eq!(said.after(|_| {}), "unsigned-payload-not-signed");
}

#[test]
fn another_content_type() {
    let utf8 = Client { content_type: "application/json; charset=utf-8", ..post("{}") };
    assert_eq!(utf8.after(|client| client.content_type = "application/json"), "content-type-charset");
    assert_eq!(
        post("{}").after(|client| client.content_type = "application/json; charset=utf-8"),
        "content-type-charset"
    );
    let typed = Client { content_type: "text/html; charset=utf-8", ..post("{}") };
    assert_eq!(typed.after(|client| client.content_type = "text/html"), "content-type-charset");
    assert_eq!(
        post("{}").after(|client| client.content_type = "application/x-www-form-urlencoded"),
        "content-type"
    );
}

#[test]
fn another_host() {
    let at = |host| Client { host, service: "tcr", ..post("{}") };
    for (sent, signed, cause) in [
        ("tcr.example.com", "tcr.example.com:443", "host-with-port"),
        ("tcr.example.com", "https://tcr.example.com", "host-with-scheme"),
        ("tcr.example.com:8080", "http://tcr.example.com:8080/", "host-with-scheme"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", "host-with-scheme"),
        ("TCR.example.com", "tcr.example.com", "host-lower-case"),
        ("localhost:8080", "127.0.0.1:8080", "host-loopback"),
        ("127.0.0.1:8080", "localhost:8080", "host-loopback"),
        ("127.0.0.1:8080", "tcr.tencentcloudapi.com", "host-official"),
        ("localhost", "tcr.ap-guangzhou.tencentcloudapi.com", "host-official"),
        ("localhost", "cvm.intl.tencentcloudapi.com", "host-official"),
    ] {
        // Values in lower case are a reading that verifies; only a value that also differs elsewhere is refused.
        let client = at(sent);
        let found = if cause == "host-lower-case" {
            let client = Client { content_type: "application/JSON", ..client };
            client.after(|client| client.host = signed)
        } else {
            client.after(|client| client.host = signed)
        };
        assert_eq!(found, cause, "{sent} signed as {signed}");
    }
}

#[test]
fn another_path_query_or_method() {
    assert_eq!(post("{}").after(|client| client.path = ""), "path");
    let endpoint = Client { path: "/api", ..post("{}") };
    assert_eq!(endpoint.after(|client| client.path = "/api/"), "path");

    assert_eq!(get("b=1&a=2").after(|client| client.query = "a=2&b=1"), "query-sorted");
    assert_eq!(get("b=1&a=%2F").after(|client| client.query = "a=/&b=1"), "query-sorted");
    assert_eq!(get("a=%2F+x").after(|client| client.query = "a=%2F%20x"), "query-encoding");
    assert_eq!(get("a=%2F").after(|client| client.query = "a=/"), "query-encoding");
    assert_eq!(get("a=1").after(|client| client.query = ""), "query-left-out");
    let with_query = Client { query: "a=1", ..post("{}") };
    assert_eq!(with_query.after(|client| client.signs_query = true), "query-signed-in-post");

    assert_eq!(post("{}").after(|client| client.method = "post"), "method");
    assert_eq!(post("{}").after(|client| client.method = "GET"), "method");
    assert_eq!(get("a=1").after(|client| client.method = "POST"), "method");
    let form = get("a=1");
    assert_eq!(form.after(|client| (client.method, client.signs_query) = ("POST", false)), "method");
}

#[test]
fn a_canonical_request_of_another_form() {
    assert_eq!(post("{}").after(|client| client.blank_line = ""), "blank-line-missing");
    assert_eq!(post("{}").after(|client| client.end = "\n"), "final-line-break");
}

#[test]
fn another_key() {
    for (key, cause) in [
        ("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE\n", "key-white-space"),
        (" Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "key-white-space"),
        ("\"Gu5t9xGARNpq86cd98joQYCN3EXAMPLE\"", "key-quoted"),
        (SECRET_ID, "key-is-secret-id"),
        ("", "key-empty"),
    ] {
        assert_eq!(post("{}").after(|client| client.secret_key = key), cause, "{key:?}");
    }
    assert_eq!(post("{}").after(|client| client.secret_key = "quite another"), "none");
}

#[test]
fn another_scope() {
    let (right, service, date) = (("2019-02-25", "tcr"), ("2019-02-25", "cvm"), ("2019-02-26", "tcr"));
    for (other, cause) in [(service, "scope-service"), (date, "scope-date")] {
        for (text, key) in [(other, other), (right, other), (other, right)] {
            let found = post("{}").arrives(&post("{}").signature(text, key)).unwrap();
            assert_eq!(found.cause, cause);
            assert!(found.sentence.contains(if cause == "scope-date" { "2019-02-26" } else { "cvm" }));
        }
    }
}

#[test]
fn a_clock_that_was_read_twice() {
    assert_eq!(post("{}").after(|client| client.timestamp += 1), "timestamp-taken-twice");
    assert_eq!(post("{}").after(|client| client.timestamp -= 2), "timestamp-taken-twice");
}

#[test]
fn a_signed_header_that_is_not_there() {
    let header = format!(
        "TC3-HMAC-SHA256 Credential={SECRET_ID}/2019-02-25/tcr/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature={}",
        "0".repeat(64)
    );
    let authorization = v3::Authorization::parse(&header).unwrap();
    let headers: [(&str, &[u8]); 2] = [("content-type", b"t"), ("host", b"h")];
    let request =
        v3::Request { method: "POST", path: "/", query: "", headers: &headers, body: b"", timestamp: "1" };
    let key = v3::SigningKey::derive(SECRET_KEY, "2019-02-25", "tcr");
    let mismatch = v3::verify(&request, &authorization, &key).unwrap_err();
    let refused = RefusedV3 {
        request,
        authorization: &authorization,
        secret_key: SECRET_KEY,
        timestamp: 1,
        region: None,
    };
    let found = likely_v3(&refused, &mismatch.unusable_headers).unwrap();
    assert_eq!(found.cause, "signed-header");
    assert!(found.sentence.contains("`x-tc-action` is missing"), "{}", found.sentence);
}

#[test]
fn a_large_body_is_not_respelt() {
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024));
    assert_eq!(post(&large).after_payload(&large.replace(':', ": ")), "none");
    assert_eq!(post(&large).after_payload("{}"), "body-empty-object-signed");
}

#[test]
fn clocks_and_dates() {
    let behind = of_timestamp(NOW - 412, NOW);
    assert_eq!((behind.cause, behind.sentence.as_str()), ("clock", "Your clock is 412 s behind."));
    assert_eq!(of_timestamp(NOW + 301, NOW).sentence, "Your clock is 301 s ahead.");
    assert_eq!(of_timestamp(NOW * 1000, NOW).cause, "milliseconds");
    assert_eq!(of_timestamp(i64::MIN, NOW).cause, "clock");
    let local = of_scope_date("2019-02-26", NOW, NOW).unwrap();
    assert_eq!(local.cause, "local-date");
    assert!(local.sentence.contains("2019-02-26") && local.sentence.contains("2019-02-25"));
    assert_eq!(of_scope_date("2019-02-24", NOW, NOW).unwrap().cause, "local-date");
    assert_eq!(of_scope_date("2019-03-25", NOW, NOW), None);
    assert_eq!(of_scope_date("2019-02-25", NOW * 1000, NOW).unwrap().cause, "milliseconds");
}

/// A v1 request, and how it is signed.
#[derive(Clone)]
struct V1Client {
    method: &'static str,
    host: &'static str,
    path: &'static str,
    parameters: Vec<(String, String)>,
    hmac: v1::Method,
    secret_key: &'static str,
}

fn v1_client() -> V1Client {
    let parameters =
        [("Action", "DescribeInstances"), ("Nonce", "1"), ("Name", "a b/c"), ("Timestamp", "1551113065")];
    V1Client {
        method: "GET",
        host: "127.0.0.1:8080",
        path: "/",
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        hmac: v1::Method::HmacSha256,
        secret_key: SECRET_KEY,
    }
}

impl V1Client {
    fn request(&self) -> v1::Request<'_> {
        v1::Request {
            method: self.method,
            host: self.host.as_bytes(),
            path: self.path,
            parameters: &self.parameters,
        }
    }

    fn arrives(&self, signature: &str) -> Option<LikelyCause> {
        assert!(v1::verify(&self.request(), self.hmac, signature, SECRET_KEY).is_err());
        likely_v1(&RefusedV1 {
            request: self.request(),
            method: self.hmac,
            signature,
            secret_id: SECRET_ID,
            secret_key: SECRET_KEY,
            region: Some("ap-guangzhou"),
        })
    }

    fn after(&self, mistake: impl FnOnce(&mut Self)) -> String {
        let mut signed = self.clone();
        mistake(&mut signed);
        let found = self.arrives(&v1::sign(&signed.request(), signed.hmac, signed.secret_key));
        let Some(found) = found else { return "none".to_owned() };
        assert!(!found.sentence.is_empty());
        assert_eq!(found.signed, Some(v1::source(&signed.request(), v1::Reading::AsSent)));
        found.cause.to_owned()
    }
}

#[test]
fn mistakes_under_signature_v1() {
    let client = v1_client();
    assert_eq!(client.after(|client| client.hmac = v1::Method::HmacSha1), "signature-method");
    let sha1 = V1Client { hmac: v1::Method::HmacSha1, ..v1_client() };
    assert_eq!(sha1.after(|client| client.hmac = v1::Method::HmacSha256), "signature-method");
    assert_eq!(client.after(|client| client.method = "POST"), "method");
    let endpoint = V1Client { path: "/api", ..v1_client() };
    assert_eq!(endpoint.after(|client| client.path = "/"), "path");
    for (host, cause) in [
        ("127.0.0.1", "host-without-port"),
        ("localhost:8080", "host-loopback"),
        ("http://127.0.0.1:8080", "host-with-scheme"),
        ("cvm.tencentcloudapi.com", "host-official"),
    ] {
        assert_eq!(client.after(|client| client.host = host), cause, "{host}");
    }
    let named = V1Client { host: "CVM.example.com", ..v1_client() };
    assert_eq!(named.after(|client| client.host = "cvm.example.com"), "host-lower-case");
    assert_eq!(
        client.after(|client| client.secret_key = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE "),
        "key-white-space"
    );
    let encode = |client: &mut V1Client, to: &str| client.parameters[2].1 = to.to_owned();
    assert_eq!(client.after(|client| encode(client, "a%20b%2Fc")), "parameters-encoded");
    assert_eq!(client.after(|client| encode(client, "a+b%2Fc")), "parameters-encoded");
    assert_eq!(client.after(|client| encode(client, "something else")), "none");
}

#[test]
fn a_v1_signature_whose_plus_signs_became_spaces() {
    let (client, signature) = (0..1000)
        .map(|nonce| {
            let mut client = v1_client();
            client.parameters[1].1 = nonce.to_string();
            let signature = v1::sign(&client.request(), client.hmac, SECRET_KEY);
            (client, signature)
        })
        .find(|(_, signature)| signature.contains('+'))
        .unwrap();
    assert_eq!(client.arrives(&signature.replace('+', " ")).unwrap().cause, "signature-not-encoded");
}
