//! Signature v1 against the published example and recorded SDK requests.

#![allow(clippy::unwrap_used, reason = "the helpers of a test fail by panicking, as the test itself does")]

use percent_encoding::percent_decode_str;
use rookery_tc3::v1::{self, Method, Mismatch, Reading, Request};

const SECRET_KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
const HOST: &[u8] = b"cvm.tencentcloudapi.com";

/// The parameters of a query or a form.
fn parameters(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
    text.split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn verify(
    http_method: &str,
    host: &[u8],
    method: Method,
    parameters: &[(String, String)],
    signature: &str,
    secret_key: &str,
) -> Result<Reading, Mismatch> {
    let request = Request { method: http_method, host, path: "/", parameters };
    v1::verify(&request, method, signature, secret_key)
}

/// The worked example: key identifier, key, HTTP method, signature by HMAC-SHA1, signature by HMAC-SHA256.
const EXAMPLES: [[&str; 5]; 4] = [
    [
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        "GET",
        "EliP9YW3pW28FpsEdkXt/+WcGeI=",
        "bR/zQ3QqOmcEYeRv71IzG/NxfisUDgy9cqRMQC+UB5g=",
    ],
    [
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        "POST",
        "/4JqpPkM1WMS/I5IvWzp5mqoqWY=",
        "gI2kIc1ZzOPt6rm9C59JHV+nGAffrs270A4rIvyCRdI=",
    ],
    [
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******",
        "Gu5t9xGARNpq86cd98joQYCN3*******",
        "GET",
        "zmmjn35mikh6pM3V7sUEuX4wyYM=",
        "LzvvZM+0Rl8Q51FXGiFEVp3AeXl2V8Wewa194M4b078=",
    ],
    [
        "AKID********************************",
        "********************************",
        "GET",
        "7RAM2xfNMO9EiVTNmPg06MRnCvQ=",
        "Vm9H4MqhU3Xb+tk/aabIyMScEZDiXb2tRLQkm9ax180=",
    ],
];

#[test]
fn the_worked_example_with_every_key_and_method() {
    for [secret_id, secret_key, http_method, sha1, sha256] in EXAMPLES {
        let parameters = parameters(&format!(
            "Version=2017-03-12&Timestamp=1465185768&SecretId={secret_id}&Region=ap-guangzhou&Offset=0&Nonce=11886\
             &Limit=20&InstanceIds.0=ins-09dx96dg&Action=DescribeInstances"
        ));
        let request = Request { method: http_method, host: HOST, path: "/", parameters: &parameters };
        assert_eq!(
            v1::source(&request, Reading::AsSent),
            format!(
                "{http_method}cvm.tencentcloudapi.com/?Action=DescribeInstances&InstanceIds.0=ins-09dx96dg&Limit=20\
                 &Nonce=11886&Offset=0&Region=ap-guangzhou&SecretId={secret_id}&Timestamp=1465185768&Version=2017-03-12"
            )
        );
        for (method, signature) in [(Method::HmacSha1, sha1), (Method::HmacSha256, sha256)] {
            assert_eq!(v1::sign(&request, method, secret_key), signature);
            assert_eq!(v1::verify(&request, method, signature, secret_key), Ok(Reading::AsSent));
        }
        assert!(v1::verify(&request, Method::HmacSha1, sha256, secret_key).is_err());
        assert!(v1::verify(&request, Method::HmacSha256, sha1, secret_key).is_err());
    }
}

const PYTHON: &str = "Limit=1&Flag=True&Name=a+b%2Bc%2F%E6%9C%AA%2A~%27%28%26%3D&Filters.0.Name=n&Filters.0.Values.0=v1\
    &Filters.0.Values.1=v+2&Empty=&Under_Score=x&F=1.5&Action=DescribeInstances&RequestClient=SDK_PYTHON_3.1.195\
    &Nonce=11886&Timestamp=1551113065&Version=2017-03-12&Region=ap-guangzhou\
    &SecretId=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&Language=zh-CN";

/// P6 and P7.
#[test]
fn python_signs_underscores_in_names_as_dots() {
    for (http_method, method, signature) in [
        ("POST", Method::HmacSha256, "J44j40dJ6SdNMWOYeCmGIBS+DCc3oyvVGYIHwlwGSu8="),
        ("GET", Method::HmacSha1, "rNzVgqL0RV3swYTVuESqxodbVLc="),
    ] {
        let parameters = parameters(&format!("{PYTHON}&SignatureMethod={method}&Signature={signature}"));
        let verified = verify(http_method, HOST, method, &parameters, signature, SECRET_KEY);
        assert_eq!(verified, Ok(Reading::UnderscoreAsDot));
        let source = v1::source(
            &Request { method: http_method, host: HOST, path: "/", parameters: &parameters },
            Reading::UnderscoreAsDot,
        );
        assert!(source.contains("&Under.Score=x&") && !source.contains("Signature="), "{source}");
    }
}

/// P7 as the asynchronous client sends it: signed with `Flag=True`, sent with `Flag=true`.
#[test]
fn asynchronous_python_signs_a_boolean_of_a_get_in_another_spelling() {
    let signature = "rNzVgqL0RV3swYTVuESqxodbVLc=";
    let sent = format!("{PYTHON}&SignatureMethod=HmacSHA1").replace("Flag=True", "Flag=true");
    let sent = parameters(&sent);
    let verified = verify("GET", HOST, Method::HmacSha1, &sent, signature, SECRET_KEY);
    assert_eq!(verified, Ok(Reading::BooleanSpelling));
    // A POST is sent as signed, so there the spelling is not negotiable.
    let signature = "J44j40dJ6SdNMWOYeCmGIBS+DCc3oyvVGYIHwlwGSu8=";
    let sent = format!("{PYTHON}&SignatureMethod=HmacSHA256");
    let respelled = parameters(&sent.replace("Flag=True", "Flag=true"));
    assert!(verify("POST", HOST, Method::HmacSha256, &parameters(&sent), signature, SECRET_KEY).is_ok());
    assert!(verify("POST", HOST, Method::HmacSha256, &respelled, signature, SECRET_KEY).is_err());
}

/// N4.
#[test]
fn node_signs_the_host_with_its_port() {
    let body = "Limit=1&Flag=true&Off=false&Name=a%20b%2Bc%2F%E6%9C%AA*~'(%26%3D!&Filters.0.Name=n\
        &Filters.0.Values.0=v1&Filters.0.Values.1=v%202&Empty=&Under_Score=x&F=1.5&Action=DescribeInstances\
        &RequestClient=SDK_NODEJS_4.1.220&Nonce=38162&Timestamp=1795316220&Version=2017-03-12&SecretId=AKIDX\
        &Region=ap-guangzhou&Token=tok&SignatureMethod=HmacSHA256";
    let parameters = parameters(body);
    let signature = "nlUp8mWS4LbH8dDv/p1OYxBZxEC0Y6X/BuzbU1ZJeIU=";
    let verified = |host: &[u8]| verify("POST", host, Method::HmacSha256, &parameters, signature, "K").ok();
    assert_eq!(verified(b"127.0.0.1:46209"), Some(Reading::AsSent));
    assert_eq!(verified(b"127.0.0.1"), None);
}
