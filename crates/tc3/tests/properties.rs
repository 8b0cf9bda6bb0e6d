//! Properties that hold for every input.

#![allow(clippy::unwrap_used, reason = "the helpers of a test fail by panicking, as the test itself does")]

use proptest::prelude::*;
use rookery_tc3::{explain, v1, v3};

/// A header value as an HTTP parser lets through, blanks at its ends included.
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(b'\t'), 0x20..0x7f_u8, 0x80..=0xff_u8], 0..40)
}

fn visible() -> impl Strategy<Value = String> {
    "[!-.0-~]{1,20}"
}

proptest! {
    #[test]
    fn parsing_any_text_does_not_panic(text in any::<String>()) {
        let _ = v3::Authorization::parse(&text);
    }

    #[test]
    fn parsing_a_damaged_header_does_not_panic(at in 0..200_usize, length in 0..5_usize, insert in any::<String>()) {
        let header = format!(
            "TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature={}",
            "0f".repeat(32)
        );
        let (start, end) = (at.min(header.len()), (at + length).min(header.len()));
        let damaged = format!("{}{insert}{}", &header[..start], &header[end..]);
        if let Ok(parsed) = v3::Authorization::parse(&damaged) {
            prop_assert!(parsed.signed_headers.contains(&"host"));
            prop_assert!(parsed.signed_headers.contains(&"content-type"));
            prop_assert_eq!(parsed.signature.len(), 64);
            prop_assert!(!parsed.service.is_empty() && !parsed.secret_id.is_empty());
        }
    }

    #[test]
    fn what_v3_signs_it_verifies_as_sent(
        method in "GET|POST|PUT",
        path in "/[!->@-~]{0,20}",
        query in "[!-~]{0,40}",
        content_type in header_value(),
        host in header_value(),
        extra in header_value(),
        body in proptest::collection::vec(any::<u8>(), 0..300),
        timestamp in 0..253_402_300_800_i64,
        (service, secret_id, secret_key) in (visible(), visible().prop_filter("no comma", |s| !s.contains(',')), any::<String>()),
        unsigned in any::<bool>(),
    ) {
        prop_assume!(!service.contains(','));
        let text = timestamp.to_string();
        let mut headers: Vec<(&str, &[u8])> =
            vec![("HOST", &host), ("X-Extra", &extra), ("Content-Type", &content_type)];
        if unsigned {
            headers.push(("X-TC-Content-SHA256", b"UNSIGNED-PAYLOAD"));
        }
        let request =
            v3::Request { method: &method, path: &path, query: &query, headers: &headers, body: &body, timestamp: &text };
        let date = v3::scope_date(timestamp).unwrap();
        let header = v3::sign(&request, &["X-Extra", "host", "content-type"], &date, &service, &secret_id, &secret_key);
        let authorization = v3::Authorization::parse(&header).unwrap();
        prop_assert_eq!(authorization.secret_id, &secret_id);
        prop_assert_eq!(authorization.date, &date);
        prop_assert_eq!(authorization.service, &service);
        let key = v3::SigningKey::derive(&secret_key, &date, &service);
        prop_assert_eq!(
            v3::verify(&request, &authorization, &key),
            Ok(v3::Verified { reading: v3::Reading::AsSent })
        );
        let other = v3::SigningKey::derive(&format!("{secret_key}x"), &date, &service);
        prop_assert!(v3::verify(&request, &authorization, &other).is_err());
        prop_assert!(v3::content_sha256_matches(&request));
    }

    #[test]
    fn what_v1_signs_it_verifies_as_sent(
        method in "GET|POST",
        host in header_value(),
        parameters in proptest::collection::vec(any::<(String, String)>(), 0..12),
        secret_key in any::<String>(),
        sha256 in any::<bool>(),
    ) {
        let algorithm = v1::Method::from_parameter(sha256.then_some("HmacSHA256"));
        let request = v1::Request { method: &method, host: &host, path: "/", parameters: &parameters };
        let signature = v1::sign(&request, algorithm, &secret_key);
        prop_assert_eq!(v1::verify(&request, algorithm, &signature, &secret_key), Ok(v1::Reading::AsSent));
        let other = format!("{secret_key}x");
        prop_assert!(v1::verify(&request, algorithm, &signature, &other).is_err());

        // The signature travels among the parameters, in any order.
        let mut sent = parameters.clone();
        sent.insert(0, ("Signature".to_owned(), signature.clone()));
        let request = v1::Request { parameters: &sent, ..request };
        prop_assert_eq!(v1::verify(&request, algorithm, &signature, &secret_key), Ok(v1::Reading::AsSent));
    }

    #[test]
    fn every_reading_of_v1_has_a_source(parameters in proptest::collection::vec(any::<(String, String)>(), 0..12)) {
        let request = v1::Request { method: "GET", host: b"h", path: "/", parameters: &parameters };
        for reading in v1::Reading::ORDER {
            prop_assert!(v1::source(&request, reading).starts_with("GETh/?"));
        }
    }

    #[test]
    fn a_difference_is_found_exactly_where_texts_differ(server in "[a-zé\n:]{0,30}", theirs in "[a-zé\n:]{0,30}") {
        match explain::first_difference(&server, &theirs) {
            None => prop_assert_eq!(server, theirs),
            Some(found) => {
                prop_assert_ne!(&server, &theirs);
                let before = |text: &str| text.split('\n').take(found.line - 1).map(str::to_owned).collect::<Vec<_>>();
                prop_assert_eq!(before(&server), before(&theirs));
                prop_assert_eq!(&found.server[..found.offset], &found.theirs[..found.offset]);
                prop_assert!(
                    found.server[found.offset..].chars().next() != found.theirs[found.offset..].chars().next()
                        || found.server == found.theirs
                );
            }
        }
    }

    #[test]
    fn a_scope_date_is_a_date_that_a_scope_may_carry(timestamp in any::<i64>()) {
        if let Some(date) = v3::scope_date(timestamp) {
            let header = format!(
                "TC3-HMAC-SHA256 Credential=A/{date}/cvm/tc3_request, SignedHeaders=content-type;host, Signature={}",
                "0f".repeat(32)
            );
            prop_assert_eq!(v3::Authorization::parse(&header).unwrap().date, date);
        }
    }
}
