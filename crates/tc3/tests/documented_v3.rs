//! Signature v3 against the published examples, the SDKs' unit tests and recorded SDK requests.

#![allow(clippy::unwrap_used, reason = "the helpers of a test fail by panicking, as the test itself does")]

use hmac::{Hmac, KeyInit, Mac};
use rookery_tc3::v3::{self, Authorization, Mismatch, Reading, Request, SigningKey};
use sha2::{Digest, Sha256};

const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
const SECRET_ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
const STARS: &str = "********************************";

/// A request with the headers that clients send, over which an example is written as a change.
#[derive(Clone)]
struct Example {
    method: &'static str,
    query: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    timestamp: &'static str,
    service: &'static str,
    signed_headers: &'static str,
    secret_key: &'static str,
}

impl Example {
    /// The request of the page on signature v3.
    fn documented() -> Self {
        let body =
            br#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
        Self {
            method: "POST",
            query: "",
            headers: vec![
                ("Content-Type", "application/json; charset=utf-8".to_owned()),
                ("Host", "cvm.tencentcloudapi.com".to_owned()),
                ("X-TC-Action", "DescribeInstances".to_owned()),
                ("X-TC-Timestamp", "1551113065".to_owned()),
                ("X-TC-Version", "2017-03-12".to_owned()),
                ("X-TC-Region", "ap-guangzhou".to_owned()),
            ],
            body: body.to_vec(),
            timestamp: "1551113065",
            service: "cvm",
            signed_headers: "content-type;host",
            secret_key: SECRET_KEY,
        }
    }

    fn content_type(mut self, value: &str) -> Self {
        value.clone_into(&mut self.headers[0].1);
        self
    }

    fn host(mut self, value: &str) -> Self {
        value.clone_into(&mut self.headers[1].1);
        self
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn date(&self) -> String {
        v3::scope_date(self.timestamp.parse().unwrap()).unwrap()
    }

    fn with_request<T>(&self, test: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        test(&Request {
            method: self.method,
            path: "/",
            query: self.query,
            headers: &headers,
            body: &self.body,
            timestamp: self.timestamp,
        })
    }

    /// Verifies `signature`, carried by a header as the documentation writes it.
    fn verify(&self, signature: &str) -> Result<Reading, Mismatch> {
        let (date, service) = (self.date(), self.service);
        let header = format!(
            "TC3-HMAC-SHA256 Credential={SECRET_ID}/{date}/{service}/tc3_request, SignedHeaders={}, Signature={signature}",
            self.signed_headers
        );
        let authorization = Authorization::parse(&header).unwrap();
        let key = SigningKey::derive(self.secret_key, &date, service);
        self.with_request(|request| v3::verify(request, &authorization, &key))
            .map(|verified| verified.reading)
    }

    fn sign(&self) -> String {
        let names: Vec<&str> = self.signed_headers.split(';').collect();
        self.with_request(|request| {
            v3::sign(request, &names, &self.date(), self.service, SECRET_ID, self.secret_key)
        })
    }

    /// The example verifies under [`Reading::AsSent`], and signing it yields the same signature.
    fn assert_signature(&self, signature: &str) {
        assert_eq!(self.verify(signature), Ok(Reading::AsSent));
        assert!(self.sign().ends_with(&format!(", Signature={signature}")), "{}", self.sign());
    }
}

#[test]
fn example_of_the_older_page() {
    let example = Example::documented();
    assert_eq!(example.body.len(), 86);
    let signature = "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168";
    example.assert_signature(signature);
    assert_eq!(
        example.sign(),
        format!(
            "TC3-HMAC-SHA256 Credential={SECRET_ID}/2019-02-25/cvm/tc3_request, \
             SignedHeaders=content-type;host, Signature={signature}"
        )
    );
    let mismatch = example.verify(&signature.replace('7', "8")).unwrap_err();
    assert_eq!(
        mismatch.canonical_request,
        "POST\n/\n\ncontent-type:application/json; charset=utf-8\nhost:cvm.tencentcloudapi.com\n\ncontent-type;host\n\
         35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
    );
    assert_eq!(
        mismatch.string_to_sign,
        "TC3-HMAC-SHA256\n1551113065\n2019-02-25/cvm/tc3_request\n\
         5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031"
    );
    assert_eq!(mismatch.unusable_headers, []);
}

#[test]
fn example_of_the_current_page_lowers_the_case_of_values() {
    let mut example = Example::documented();
    example.secret_key = STARS;
    example.signed_headers = "content-type;host;x-tc-action";
    let documented = "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f";
    assert_eq!(example.verify(documented), Ok(Reading::LowercasedValues));

    // The canonical text that the page prints, as one reads it where the value is sent in lower case.
    example.headers[2].1 = "describeinstances".to_owned();
    example.assert_signature(documented);
    let mismatch = example.verify(&documented.replace('1', "2")).unwrap_err();
    assert_eq!(
        mismatch.canonical_request,
        "POST\n/\n\ncontent-type:application/json; charset=utf-8\nhost:cvm.tencentcloudapi.com\n\
         x-tc-action:describeinstances\n\ncontent-type;host;x-tc-action\n\
         35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
    );
    assert!(
        mismatch
            .string_to_sign
            .ends_with("\n7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84")
    );
}

#[test]
fn other_keys_that_published_examples_use() {
    let mut example = Example::documented();
    example.signed_headers = "content-type;host;x-tc-action";
    example.secret_key = STARS;
    example.assert_signature("f96dc2a9c590218f51b71640ebe8d40a9ff34b4300ae5f0cc9ec517d020a9071");
    example.secret_key = SECRET_KEY;
    let lowered = "644be983de9a8a3f00db8eadaba61467c3b429e2215758ba897b738ca469fd26";
    assert_eq!(example.verify(lowered), Ok(Reading::LowercasedValues));
    example.secret_key = "Gu5t9xGARNpq86cd98joQYCN3*******";
    let lowered = "be4f67d323c78ab9acb7395e43c0dbcf822a9cfac32fea2449a7bc7726b770a3";
    assert_eq!(example.verify(lowered), Ok(Reading::LowercasedValues));
    example.signed_headers = "content-type;host";
    example.assert_signature("2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c");
}

fn node_unit_test() -> Example {
    let mut example = Example::documented()
        .content_type("application/json")
        .body(&br#"{"Action":"DescribeInstances","Version":"2017-03-12"}"#[..]);
    example.timestamp = "1640995200";
    example.secret_key = "test-secret-key";
    example
}

#[test]
fn node_unit_test_post() {
    node_unit_test().assert_signature("96473b50fe407833672a5d6d067238d88bb44c8abcc39ef83baa3132afbfadd3");
}

/// The unit test signs the hash of a JSON body with the method GET, which no client sends: a GET has an empty payload.
#[test]
fn node_unit_test_get_with_a_body_is_refused() {
    let mut example = node_unit_test().content_type("application/x-www-form-urlencoded");
    example.method = "GET";
    let artefact = "39ce411ac32014b7d814118b33f82d3445be566f67e1f4b369ccdc3791ce9a13";
    let mismatch = example.verify(artefact).unwrap_err();
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert!(mismatch.canonical_request.ends_with(empty));

    // With the hash of that body in its place, the signature is the one of the unit test.
    let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let canonical = mismatch.canonical_request.replace(empty, &hash(&example.body));
    let string_to_sign =
        format!("TC3-HMAC-SHA256\n1640995200\n2022-01-01/cvm/tc3_request\n{}", hash(canonical.as_bytes()));
    let mac = |key: &[u8], message: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(message);
        mac.finalize().into_bytes().to_vec()
    };
    let key = ["2022-01-01", "cvm", "tc3_request"]
        .iter()
        .fold(b"TC3test-secret-key".to_vec(), |key, message| mac(&key, message));
    assert_eq!(hex::encode(mac(&key, &string_to_sign)), artefact);
}

#[test]
fn node_unit_test_multipart() {
    let boundary = "--------------------------613711929803404244049248";
    let part = |head: &str, value: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    };
    let body = [
        part("name=\"Action\"", "DescribeInstances"),
        part("name=\"Version\"", "2017-03-12"),
        part("name=\"File\"\r\nContent-Type: application/octet-stream", "test file content"),
        format!("--{boundary}--\r\n"),
    ];
    node_unit_test()
        .content_type(&format!("multipart/form-data; boundary={boundary}"))
        .body(body.concat())
        .assert_signature("35ca4cc5b23393f8072e9f355fa26fe9504e38fa8d1b2dfc867383e0fa32c16b");
}

/// P1, as the Python SDK sends it.
fn python_post() -> Example {
    let body = concat!(
        r#"{"Limit": 1, "Flag": true, "Name": "a b+c/\u672a*~'(&=", "Filters": [{"Name": "n", "#,
        r#""Values": ["v1", "v 2"]}], "Empty": "", "EL": [], "Under_Score": "x", "F": 1.5}"#,
    );
    assert_eq!(body.len(), 162);
    Example::documented().content_type("application/json").body(body)
}

/// P3.
fn python_get() -> Example {
    let mut example = Example::documented().content_type("application/x-www-form-urlencoded").body("");
    example.method = "GET";
    example.query = "Limit=1&Flag=True&Name=a+b%2Bc%2F%E6%9C%AA%2A~%27%28%26%3D&Filters.0.Name=n&Filters.0.Values.0=v1\
                     &Filters.0.Values.1=v+2&Empty=&Under_Score=x&F=1.5";
    example
}

#[test]
fn python_requests() {
    python_post().assert_signature("e4e2aced0ec26958a1e27ecb359f5057a659de7508344f3e2e84a274d3a81297");
    python_get().assert_signature("c7d30c498c30eb56aa083a4825e3da7f78286fe5b21dcafd0326a42ab7efa257");
}

#[test]
fn python_requests_with_an_unsigned_payload() {
    let post = python_post().header("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD").header("X-TC-Token", "tok");
    let signature = "6ca8818cc1b871a25d6f13dad67f0a6069a1979f11eddcd2087aee26addd80e6";
    post.assert_signature(signature);
    // Nothing of the body is signed.
    post.body("{}").assert_signature(signature);
    let get = python_get().header("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD");
    get.assert_signature("5ad882a7aaa084a59f8b33e89c7ec4519204ca94dfa8125b604049077d782d52");
}

#[test]
fn python_multipart() {
    let boundary = "00000000000040008000000000000001";
    let part = |head: &str, value: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    };
    let body = [
        part("name=\"File\"; filename=\"File\"", "BIN"),
        part("name=\"S\"", "str"),
        part("name=\"L\"\r\nContent-Type: application/json", r#"["a", {"b": 1}]"#),
        format!("--{boundary}--\r\n"),
    ]
    .concat();
    assert_eq!(body.len(), 357);
    Example::documented()
        .content_type(&format!("multipart/form-data; boundary={boundary}"))
        .body(body)
        .assert_signature("f743046ea2a3910e29dd60e20795b3ebcb8673bc214ed4d67e0dedade5348c43");
}

/// The Node SDK sends a port and signs the host without it; the service is the first label of the address.
fn node_request(timestamp: &'static str) -> Example {
    let mut example = Example::documented().host("127.0.0.1:46209");
    example.timestamp = timestamp;
    example.service = "127";
    example.secret_key = "K";
    example
}

#[test]
fn node_get() {
    let mut example = node_request("1795316219").content_type("application/x-www-form-urlencoded").body("");
    example.method = "GET";
    example.query = "Limit=1&Flag=true&Off=false&Name=a%20b%2Bc%2F%E6%9C%AA*~%27(%26%3D!&Filters.0.Name=n\
                     &Filters.0.Values.0=v1&Filters.0.Values.1=v%202&Empty=&Und=&Under_Score=x&F=1.5";
    let signature = "9b58d374190ca1b4cb643f0e351c1ada417c758f834d3615a2566edb31538296";
    assert_eq!(example.verify(signature), Ok(Reading::HostWithoutPort));
    example.host("127.0.0.1").assert_signature(signature);
}

#[test]
fn node_octet_stream_and_multipart() {
    let octets =
        node_request("1795316220").content_type("application/octet-stream; charset=utf-8").body("octets");
    let signature = "0848b88290bd656b46fea8c45abc2e98275dae7555382b26d3c24a8c820a064a";
    assert_eq!(octets.verify(signature), Ok(Reading::HostWithoutPort));

    let boundary = "--------------------------f06908ea4c0955c59d0a57fb";
    let body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"File\"\r\nContent-Type: application/octet-stream\r\n\r\nBIN\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"S\"\r\n\r\nstr\r\n--{boundary}--\r\n"
    );
    let multipart = node_request("1795316219")
        .content_type(&format!("multipart/form-data; boundary={boundary}"))
        .body(body);
    let signature = "8d3faaafe4127965e6c19236552e31c7ebd28815c1da0305aada0585e3053b32";
    assert_eq!(multipart.verify(signature), Ok(Reading::HostWithoutPort));
}
