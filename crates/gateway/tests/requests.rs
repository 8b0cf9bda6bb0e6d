//! Every form in which a request may come, in every client's spelling, and the limits of each at their last allowed byte.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod kit;

use kit::{Draft, Sent, gateway, gateway_at, laboratory, options, v1_request};
use proptest::prelude::*;
use rookery_api::codec::Value;
use rookery_api::decode::{Side, conform, flattened};
use rookery_gateway::arrival::{GET_LIMIT, V1_BODY_LIMIT, V3_BODY_LIMIT};
use rookery_gateway::reply::REPLY_LIMIT;
use serde_json::json;

/// What reached the action.
async fn echo(sent: Sent) -> serde_json::Value {
    let reply = sent.answer(&gateway()).await;
    let Some(echo) = reply["Echo"].as_str() else { panic!("{reply}") };
    serde_json::from_str(echo).unwrap()
}

#[tokio::test]
async fn all_four_forms_of_an_ordinary_action_spell_the_same() {
    let expected =
        json!({"Text": "a b+c/d=e~f*g_h中文", "Flag": true, "Pairs": [{"Name": "n", "Values": ["", "v"]}]});
    let pairs = [
        ("Text", "a b+c/d=e~f*g_h中文"),
        ("Flag", "True"),
        ("Pairs.0.Name", "n"),
        ("Pairs.0.Values.0", ""),
        ("Pairs.0.Values.1", "v"),
    ];
    let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", kit::encode(value))).collect();
    let query = query.join("&");
    let v1: Vec<_> = [("Action", "Echo")].into_iter().chain(pairs).collect();
    for sent in [
        Draft::post("Echo", &expected.to_string()).sign(),
        Draft::typed("Echo", "application/json; charset=utf-8", expected.to_string().as_bytes()).sign(),
        Draft::get("Echo", &query).sign(),
        v1_request("GET", &v1),
        v1_request("POST", &v1),
    ] {
        assert_eq!(echo(sent).await, expected);
    }
}

#[tokio::test]
async fn a_get_has_no_body_so_its_content_type_is_not_judged() {
    for content_type in ["application/x-www-form-urlencoded", "application/json", "text/plain; charset=gbk"] {
        let draft = Draft { content_type: content_type.to_owned(), ..Draft::get("Echo", "Int=7") };
        assert_eq!(echo(draft.sign()).await, json!({"Int": 7}), "{content_type}");
    }
    let bare = v1_request("GET", &[("Action", "Echo"), ("Int", "7")]).with("Content-Type", None);
    assert_eq!(echo(bare).await, json!({"Int": 7}));
}

/// A part as the five clients that know multipart write it (`protocol.md` §3.6), lines ended by CRLF.
fn multipart(boundary: &str, parts: &[&str]) -> Vec<u8> {
    let delimiter = format!("--{boundary}\n");
    let parts: Vec<String> = parts.iter().map(|part| [delimiter.as_str(), part, "\n"].concat()).collect();
    format!("{}--{boundary}--\n", parts.concat()).replace('\n', "\r\n").into_bytes()
}

#[tokio::test]
async fn every_clients_multipart_layout_is_read() {
    let file = "Content-Disposition: form-data; name=\"File\"; filename=\"File\"\n\nBIN";
    let name = "Content-Disposition: form-data; name=\"Name\"\n\nstr";
    let list =
        "Content-Disposition: form-data; name=\"Texts\"\nContent-Type: application/json\n\n[\"a\", \"b\"]";
    let expected = json!({"File": "BIN", "Name": "str", "Texts": ["a", "b"]});
    let python = "dba3a65558d9462ab01c620ab10e030d";
    let php = "65f0c1d2e3a4b";
    for (boundary, content_type, parts) in [
        (python, format!("multipart/form-data; boundary={python}"), [file, name, list].to_vec()),
        (php, format!("multipart/form-data; boundary={php}"), [file, name, list].to_vec()),
        ("ruby", "multipart/form-data; boundary=ruby".to_owned(), [list, file, name].to_vec()),
        (
            "7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "multipart/form-data; charset=utf-8; boundary=7c9e6679-7425-40de-944b-e07fc1f90ae7".to_owned(),
            // Java flattens lists into names.
            vec![
                file,
                name,
                "Content-Disposition: form-data; name=\"Texts.0\"\n\na",
                "Content-Disposition: form-data; name=\"Texts.1\"\n\nb",
            ],
        ),
        (
            "--------------------------bda1c019026f04688046186d",
            "multipart/form-data; boundary=--------------------------bda1c019026f04688046186d".to_owned(),
            vec![
                "Content-Disposition: form-data; name=\"File\"\nContent-Type: application/octet-stream\n\nBIN",
                name,
                list,
            ],
        ),
    ] {
        let sent = Draft::typed("Upload", &content_type, &multipart(boundary, &parts)).sign();
        assert_eq!(echo(sent).await, expected, "{content_type}");
    }
}

#[tokio::test]
async fn the_documents_multipart_example_is_answered() {
    // 'Common Params' of 2026-03-23, the body to the letter: text parts for integer members.
    let body = b"--58731222010402\nContent-Disposition: form-data; name=\"Offset\"\n\n0\n--58731222010402\nContent-Disposition: form-data; name=\"Limit\"\n\n10\n--58731222010402--\n";
    let draft = Draft::typed("Upload", "multipart/form-data; boundary=58731222010402", body);
    assert_eq!(echo(draft.sign()).await, json!({"Offset": 0, "Limit": 10}));
}

#[tokio::test]
async fn what_is_wrong_with_a_part_has_its_own_error() {
    let part = |headers: &str, content: &str| {
        format!("--B\r\nContent-Disposition: form-data; {headers}\r\n\r\n{content}\r\n--B--\r\n")
    };
    let type_error = "The value type of parameter `Offset` is not valid, input type should be `int64`";
    for (body, code, message) in [
        (part("name=\"Offset\"", "x"), "InvalidParameter", type_error),
        (part("name=\"Nope\"", "x"), "UnknownParameter", "The parameter `Nope` is not recognized."),
        (
            part("name=\"Texts\"\r\nContent-Type: application/json", "[\"a\","),
            "InvalidParameter",
            "Parameter `Texts` invalid json format.",
        ),
        (
            part("name=\"Texts.1\"", "a"),
            "InvalidParameter",
            "Parameter `Texts` invalid array format, array index must be continuous and starts with 0.",
        ),
        (
            part("name=\"Offset\"", "1\r\n--B\r\nContent-Disposition: form-data; name=\"Offset\"\r\n\r\n1"),
            "InvalidParameter",
            "Parameter `Offset` input repeated.",
        ),
        (
            part("nome=\"Offset\"", "1"),
            "InvalidRequest",
            "The multipart format of the request body is incorrect.",
        ),
        ("{}".to_owned(), "InvalidRequest", "The multipart format of the request body is incorrect."),
    ] {
        let sent = Draft::typed("Upload", "multipart/form-data; boundary=B", body.as_bytes()).sign();
        assert_eq!(sent.error(&gateway()).await, (code.to_owned(), message.to_owned()), "{body}");
    }
    let text = b"--B\r\nContent-Disposition: form-data; name=\"Name\"\r\n\r\n\xff\r\n--B--\r\n";
    let sent = Draft::typed("Upload", "multipart/form-data; boundary=B", text).sign();
    let format = "Parameter `Name` format invalid.".to_owned();
    assert_eq!(sent.error(&gateway()).await, ("InvalidParameter".to_owned(), format));
    let unbounded = Draft::typed("Upload", "multipart/form-data", b"--B--").sign();
    assert_eq!(unbounded.code(&gateway()).await, "InvalidRequest");
}

#[tokio::test]
async fn an_octet_stream_is_the_file_and_its_headers_are_the_rest() {
    for content_type in ["application/octet-stream", "application/octet-stream; charset=utf-8"] {
        let draft = Draft::typed("Upload", content_type, b"octets")
            .header("X-LAB-Name", b"n")
            .header("x-lab-offset", b"7")
            .header("X-OTHER-Name", b"of another service");
        assert_eq!(echo(draft.sign()).await, json!({"File": "octets", "Name": "n", "Offset": 7}));
    }
    for (name, value, code) in [
        ("X-LAB-Nope", &b"1"[..], "UnknownParameter"),
        ("X-LAB-Offset", b"x", "InvalidParameter"),
        ("X-LAB-Name", b"\xff", "InvalidParameter"),
        ("X-LAB-File", b"1", "InvalidParameter"),
    ] {
        let draft = Draft::typed("Upload", "application/octet-stream", b"octets").header(name, value);
        assert_eq!(draft.sign().code(&gateway()).await, code, "{name}");
    }
    let twice = Draft::typed("Upload", "application/octet-stream", b"")
        .header("X-LAB-Name", b"1")
        .header("X-LAB-Name", b"2");
    let repeated = ("InvalidParameter".to_owned(), "Parameter `Name` input repeated.".to_owned());
    assert_eq!(twice.sign().error(&gateway()).await, repeated);
}

#[tokio::test]
async fn a_form_that_the_action_does_not_take_is_refused() {
    let part = b"--B\r\nContent-Disposition: form-data; name=\"Name\"\r\n\r\nn\r\n--B--\r\n";
    for sent in [
        Draft::post("Upload", "{}").sign(),
        Draft::get("Upload", "Name=n").sign(),
        v1_request("GET", &[("Action", "Upload"), ("Name", "n")]),
        v1_request("POST", &[("Action", "Upload"), ("Name", "n")]),
        Draft::typed("Echo", "multipart/form-data; boundary=B", part).sign(),
        Draft::typed("Echo", "application/octet-stream", b"octets").sign(),
        Draft::typed("Echo", "application/x-www-form-urlencoded", b"Int=7").sign(),
        Draft::typed("Echo", "text/plain", b"{}").sign(),
        Draft::typed("Echo", "application/json; charset=gbk", b"{}").sign(),
        v1_request("POST", &[("Action", "Echo")])
            .with("Content-Type", Some("application/x-www-form-urlencoded; charset=gbk")),
    ] {
        let expected = "A value specified in `Content-Type` is not valid, is unsupported, or cannot be used.";
        let expected = ("InvalidParameterValue".to_owned(), expected.to_owned());
        assert_eq!(sent.clone().error(&gateway()).await, expected, "{:?}", sent.headers);
    }
}

#[tokio::test]
async fn only_utf8_is_text() {
    let format = |name: &str| format!("Parameter `{name}` format invalid.");
    let not_json = "The request content not valid json format for specified content-type=application/json.";
    for (draft, message) in [
        (Draft::typed("Echo", "application/json", b"{\"Text\":\"\xff\"}"), not_json.to_owned()),
        (Draft::typed("Echo", "application/json", b"\xef\xbb\xbf{}"), not_json.to_owned()),
        (Draft::get("Echo", "Text=%FF"), format("Text")),
        (Draft::get("Echo", "Text=%zz"), format("Text")),
        (Draft::post("Echo", "{}").header("X-TC-Region", b"\xff"), format("X-TC-Region")),
        (Draft::post("Echo", "{}").header("X-TC-Language", b"\xd6\xd0"), format("X-TC-Language")),
    ] {
        assert_eq!(draft.sign().error(&gateway()).await, ("InvalidParameter".to_owned(), message));
    }
    assert_eq!(echo(Draft::get("Echo", "Text=%e4%b8%AD").sign()).await, json!({"Text": "中"}));
}

#[tokio::test]
async fn flattened_text_that_spells_no_tree_has_the_platforms_words() {
    for (query, message) in [
        ("Text", "Url key and value should be splited by `=`."),
        ("=1", "The request has a parameter key which is empty string."),
        ("Int=1&Int=2", "Parameter `Int` input repeated."),
        ("Pair.Name=a&Pair=b", "Parameter `Pair` input repeated."),
        ("Pairs.0.Name=a&Pairs.0.Name=b", "Parameter `Pairs.0.Name` input repeated."),
        (
            "Texts.1=a",
            "Parameter `Texts` invalid array format, array index must be continuous and starts with 0.",
        ),
        (
            "Pairs.0.Name=a&Pairs.0.Values.0=x&Pairs.0.Values.2=y",
            "Parameter `Pairs.0.Values` invalid array format, array index must be continuous and starts with 0.",
        ),
        ("Texts=a", "The value type of parameter `Texts` is not valid, input type should be `list`"),
        ("Pairs.0=a", "The value type of parameter `Pairs.0` is not valid, input type should be `object`"),
        ("Uint=-1", "The value type of parameter `Uint` is not valid, input type should be `uint64`"),
        ("Flag=yes", "The value type of parameter `Flag` is not valid, input type should be `bool`"),
        ("Float=NaN", "The value type of parameter `Float` is not valid, input type should be `float`"),
    ] {
        let expected = ("InvalidParameter".to_owned(), message.to_owned());
        assert_eq!(Draft::get("Echo", query).sign().error(&gateway()).await, expected, "{query}");
    }
    let missing = Draft::get("Echo", "Pairs.0.Values.0=a").sign().error(&gateway()).await;
    assert_eq!(missing.1, "The request is missing a required parameter `Pairs.0.Name`.");
}

#[tokio::test]
async fn sizes_are_allowed_to_their_last_byte() {
    let padded = |length: usize| Draft::get("Echo", &format!("Text={}", "x".repeat(length))).sign();
    let shortest = padded(0).length();
    assert_eq!(padded(GET_LIMIT - shortest).length(), 32 * 1024);
    assert_eq!(padded(GET_LIMIT - shortest).code(&gateway()).await, "ok");
    assert_eq!(padded(GET_LIMIT - shortest + 1).code(&gateway()).await, "RequestSizeLimitExceeded");
    let body = vec![b' '; GET_LIMIT];
    assert_eq!(
        padded(0).body(&body).code(&gateway()).await,
        "RequestSizeLimitExceeded",
        "a GET's body counts"
    );

    let v3 = |length: usize| {
        Draft::typed("Echo", "application/json", &[b"{}", vec![b' '; length].as_slice()].concat())
    };
    assert_eq!(v3(V3_BODY_LIMIT - 2).body.len(), 10 * 1024 * 1024);
    assert_eq!(v3(V3_BODY_LIMIT - 2).sign().code(&gateway()).await, "ok");
    assert_eq!(v3(V3_BODY_LIMIT - 1).sign().code(&gateway()).await, "RequestSizeLimitExceeded");

    // Padding by pairs of no parameter, which the signature does not see.
    let v1 = |length: usize| {
        let mut sent = v1_request("POST", &[("Action", "Echo")]);
        let padding = length - sent.body.len();
        sent.body.extend(std::iter::repeat_n(b'&', padding));
        sent
    };
    assert_eq!(V1_BODY_LIMIT, 1024 * 1024);
    assert_eq!(v1(V1_BODY_LIMIT).code(&gateway()).await, "ok");
    let expected = "The provided credentials could not be validated because of exceeding request size limit, please use new signature method `TC3-HMAC-SHA256`.";
    let expected = ("AuthFailure.SignatureFailure".to_owned(), expected.to_owned());
    assert_eq!(v1(V1_BODY_LIMIT + 1).error(&gateway()).await, expected);
}

#[tokio::test]
async fn a_reply_is_allowed_to_its_last_byte_and_never_compressed() {
    // `{"Response":{"Echo":"…","RequestId":"00000000-0000-0000-0000-000000000000"}}`
    let around = 75;
    let large = |size: usize| {
        Draft::post("Large", &json!({"Size": size - around}).to_string())
            .header("Accept-Encoding", b"gzip, deflate, br")
            .sign()
    };
    assert_eq!(REPLY_LIMIT, 50 * 1024 * 1024);
    let reply = large(REPLY_LIMIT).answer(&gateway()).await;
    assert_eq!(reply["Echo"].as_str().map(str::len), Some(REPLY_LIMIT - around));
    let refused =
        ("ResponseSizeLimitExceeded".to_owned(), "The response size exceeds the upper limit.".to_owned());
    assert_eq!(large(REPLY_LIMIT + 1).error(&gateway()).await, refused);
}

#[tokio::test]
async fn actions_that_go_say_so_and_those_that_are_gone_are_refused() {
    let reply = Draft::post("Old", "{}").sign().answer(&gateway()).await;
    assert_eq!(reply["Echo"], "old");
    assert_eq!(reply["DeprecatedWarning"], "The action `Old` of `lab` 2026-01-01 is deprecated.");
    let chinese = Draft::post("Quiet", "{}").header("X-TC-Language", b"zh-CN").sign();
    let reply = chinese.answer(&gateway()).await;
    assert_eq!(reply["DeprecatedWarning"], "`lab` 2026-01-01 的接口 `Quiet` 即将下线。");
    let online = Draft::post("Echo", "{}").sign().answer(&gateway()).await;
    assert!(online["DeprecatedWarning"].is_null());
    assert_eq!(Draft::post("Gone", "{}").sign().code(&gateway()).await, "ActionOffline");
}

#[tokio::test]
async fn a_common_parameter_that_is_sent_twice_says_two_things() {
    for name in ["X-TC-Action", "X-TC-Version", "X-TC-Timestamp", "X-TC-Language"] {
        let sent = Draft::post("Echo", "{}").header(name, b"en-US").header(name, b"en-US").sign();
        let expected = format!("Parameter `{name}` input repeated.");
        assert_eq!(sent.error(&gateway()).await, ("InvalidParameter".to_owned(), expected));
    }
    let sent =
        Draft::post("Echo", "{}").header("X-TC-RequestClient", b"a").header("X-TC-RequestClient", b"b");
    assert_eq!(sent.sign().code(&gateway()).await, "ok");
    let sent = v1_request("GET", &[("Action", "Echo"), ("Region", "a"), ("Region", "a")]);
    let expected = "Parameter `Region` input repeated.".to_owned();
    assert_eq!(sent.error(&gateway()).await, ("InvalidParameter".to_owned(), expected));
}

#[tokio::test]
async fn tokens_payload_hashes_and_unsigned_payloads_are_read() {
    let gateway = gateway_at(kit::NOW, Some("tok"), laboratory::actions(), options());
    let with_token = Draft::post("Echo", "{}").header("X-TC-Token", b"tok");
    assert_eq!(with_token.sign().code(&gateway).await, "ok");
    assert_eq!(v1_request("POST", &[("Action", "Echo"), ("Token", "tok")]).code(&gateway).await, "ok");
    for sent in
        [Draft::post("Echo", "{}").sign(), Draft::post("Echo", "{}").header("X-TC-Token", b"tik").sign()]
    {
        assert_eq!(sent.code(&gateway).await, "AuthFailure.TokenFailure");
    }
    // The hash of `{}`, and of what is not `{}`.
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let hashed = |body: &[u8]| {
        Draft::post("Echo", "{}")
            .header("X-TC-Content-SHA256", hash.as_bytes())
            .header("X-TC-Token", b"tok")
            .sign()
            .body(body)
    };
    assert_eq!(hashed(b"{}").code(&gateway).await, "ok");
    let expected = "The value specified in `X-TC-Content-SHA256` is not correct.".to_owned();
    assert_eq!(hashed(b"{ }").error(&gateway).await, ("InvalidParameterValue".to_owned(), expected));
    let unsigned = Draft::post("Echo", "UNSIGNED-PAYLOAD")
        .header("X-TC-Content-SHA256", b"UNSIGNED-PAYLOAD")
        .header("X-TC-Token", b"tok")
        .sign();
    assert_eq!(unsigned.body(b"{\"Int\":7}").code(&gateway).await, "ok");
}

/// How a client spells scalars in queries and forms (`protocol.md` §3.2).
#[derive(Clone, Copy, Debug)]
enum Client {
    Python,
    Go,
    Node,
    Java,
    Php,
    PhpForm,
    DotNet,
}

const CLIENTS: [Client; 7] =
    [Client::Python, Client::Go, Client::Node, Client::Java, Client::Php, Client::PhpForm, Client::DotNet];

impl Client {
    fn boolean(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Python | Self::DotNet, true) => "True",
            (Self::Python | Self::DotNet, false) => "False",
            (Self::PhpForm, true) => "1",
            (Self::PhpForm, false) => "0",
            (_, true) => "true",
            (_, false) => "false",
        }
    }

    fn float(self, value: f64) -> String {
        let plain = value.to_string();
        // Where each runtime changes over to an exponent.
        let (from, below) = match self {
            Self::Go => return plain,
            Self::Python => (1e16, 1e-4),
            Self::Node => (1e21, 1e-6),
            Self::Java => (1e7, 1e-3),
            Self::Php | Self::PhpForm | Self::DotNet => (1e15, 1e-4),
        };
        let with_point = |digits: &str| {
            if digits.contains('.') { digits.to_owned() } else { format!("{digits}.0") }
        };
        if value == 0.0 || (below..from).contains(&value.abs()) {
            return if matches!(self, Self::Python | Self::Java) { with_point(&plain) } else { plain };
        }
        let scientific = format!("{value:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap();
        let signed = if exponent.starts_with('-') { exponent.to_owned() } else { format!("+{exponent}") };
        match self {
            Self::Java => format!("{}E{exponent}", with_point(digits)),
            Self::Php | Self::PhpForm => format!("{}E{signed}", with_point(digits)),
            Self::DotNet => format!("{digits}E{signed}"),
            _ => format!("{digits}e{signed}"),
        }
    }

    /// A form encoder keeps what its platform thinks safe.
    fn encode(self, text: &str) -> String {
        let safe: &[u8] = match self {
            Self::Python | Self::Go => b"-_.~",
            Self::Node => b"-_.~!()*",
            Self::Java => b"-_.*",
            Self::Php | Self::PhpForm => b"-_.",
            Self::DotNet => b"-_.!()*",
        };
        let mut encoded = String::new();
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || safe.contains(&byte) {
                encoded.push(char::from(byte));
            } else if byte == b' ' && !matches!(self, Self::Node) {
                encoded.push('+');
            } else {
                encoded.push_str(&kit::escape(byte));
            }
        }
        encoded
    }

    /// The pairs in the order in which the client sends them.
    fn order(self, mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
        match self {
            Self::Go => pairs.sort(),
            // A hash map's order is none.
            Self::Java => pairs.sort_by_key(|(name, _)| name.bytes().rev().collect::<Vec<_>>()),
            _ => {}
        }
        pairs
    }
}

/// A request of `Echo`, apart from its spelling.
#[derive(Clone, Debug)]
struct Parameters {
    text: Option<String>,
    int: Option<i64>,
    uint: Option<u64>,
    float: Option<f64>,
    flag: Option<bool>,
    texts: Vec<String>,
    flags: Vec<bool>,
    pairs: Vec<(String, Vec<String>, Option<u64>)>,
}

fn parameters() -> impl Strategy<Value = Parameters> {
    // Go would leave an empty name out of a structure, and the required member would be missing.
    let pair = ("\\PC{1,6}", prop::collection::vec("\\PC{0,6}", 0..3), prop::option::of(any::<u64>()));
    let scalars = (
        prop::option::of("\\PC{0,12}"),
        prop::option::of(any::<i64>()),
        prop::option::of(any::<u64>()),
        prop::option::of(prop_oneof![
            any::<f64>().prop_filter("JSON has no others", |f| f.is_finite()),
            -1e3..1e3
        ]),
        prop::option::of(any::<bool>()),
    );
    let lists = (
        prop::collection::vec("\\PC{0,6}", 0..12),
        prop::collection::vec(any::<bool>(), 0..3),
        prop::collection::vec(pair, 0..3),
    );
    (scalars, lists).prop_map(|((text, int, uint, float, flag), (texts, flags, pairs))| Parameters {
        text,
        int,
        uint,
        float,
        flag,
        texts,
        flags,
        pairs,
    })
}

impl Parameters {
    fn flattened(&self, client: Client) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut push = |name: String, value: String| pairs.push((name, value));
        // Go leaves empty text out, except in lists.
        let drops = |text: &str| matches!(client, Client::Go) && text.is_empty();
        if let Some(text) = self.text.as_ref().filter(|text| !drops(text)) {
            push("Text".to_owned(), text.clone());
        }
        self.int.iter().for_each(|int| push("Int".to_owned(), int.to_string()));
        self.uint.iter().for_each(|uint| push("Uint".to_owned(), uint.to_string()));
        self.float.iter().for_each(|float| push("Float".to_owned(), client.float(*float)));
        self.flag.iter().for_each(|flag| push("Flag".to_owned(), client.boolean(*flag).to_owned()));
        self.texts.iter().enumerate().for_each(|(at, text)| push(format!("Texts.{at}"), text.clone()));
        for (at, flag) in self.flags.iter().enumerate() {
            push(format!("Flags.{at}"), client.boolean(*flag).to_owned());
        }
        for (at, (name, values, size)) in self.pairs.iter().enumerate() {
            push(format!("Pairs.{at}.Name"), name.clone());
            for (index, value) in values.iter().enumerate() {
                push(format!("Pairs.{at}.Values.{index}"), value.clone());
            }
            if let Some(size) = size {
                push(format!("Pairs.{at}.Deep.Size"), size.to_string());
            }
        }
        client.order(pairs)
    }

    /// What a client means, as far as its spelling can say it: empty lists flatten to nothing.
    fn value(&self, client: Client) -> Value {
        let some = |value: Option<Value>| value.unwrap_or(Value::Absent);
        let list = |items: Vec<Value>| if items.is_empty() { Value::Absent } else { Value::List(items) };
        let texts = |texts: &[String]| list(texts.iter().cloned().map(Value::Text).collect());
        let dropped = |text: &&String| !(matches!(client, Client::Go) && text.is_empty());
        let pairs = self.pairs.iter().map(|(name, values, size)| {
            let deep = size.map(|size| Value::Structure(vec![Value::Unsigned(size)]));
            Value::Structure(vec![Value::Text(name.clone()), texts(values), some(deep)])
        });
        Value::Structure(vec![
            some(self.text.as_ref().filter(dropped).cloned().map(Value::Text)),
            Value::Absent,
            some(self.int.map(Value::Integer)),
            some(self.uint.map(Value::Unsigned)),
            some(self.float.map(Value::Float)),
            some(self.flag.map(Value::Boolean)),
            texts(&self.texts),
            list(self.flags.iter().copied().map(Value::Boolean).collect()),
            list(pairs.collect()),
            Value::Absent,
        ])
    }
}

#[test]
fn clients_spell_floats_as_their_runtimes_do() {
    for (client, value, expected) in [
        (Client::Python, 1.5, "1.5"),
        (Client::Python, 2.0, "2.0"),
        (Client::Python, 1e16, "1e+16"),
        (Client::Go, 1e16, "10000000000000000"),
        (Client::Node, 2.0, "2"),
        (Client::Node, 1e21, "1e+21"),
        (Client::Java, 1e10, "1.0E10"),
        (Client::Java, 0.0001, "1.0E-4"),
        (Client::Php, 1e25, "1.0E+25"),
        (Client::DotNet, 1e16, "1E+16"),
    ] {
        assert_eq!(client.float(value), expected, "{client:?}");
    }
}

proptest! {
    #[test]
    fn what_any_client_flattens_the_gateway_unflattens(parameters in parameters()) {
        for client in CLIENTS {
            let pairs = parameters.flattened(client);
            let text: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", client.encode(value))).collect();
            let read = flattened::pairs(text.join("&").as_bytes())
                .and_then(flattened::gather)
                .and_then(|node| conform(node, &laboratory::ECHO, Side::Request));
            prop_assert_eq!(read, Ok(parameters.value(client)), "{:?}: {}", client, text.join("&"));
        }
    }
}
