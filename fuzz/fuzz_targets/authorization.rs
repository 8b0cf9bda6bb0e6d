//! The `Authorization` header, and a verification with whatever it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_tc3::v3;

fuzz_target!(|data: (&str, &str, &[u8], &[u8])| {
    let (header, query, host, body) = data;
    let Ok(authorization) = v3::Authorization::parse(header) else { return };
    let headers: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("host", host)];
    let request =
        v3::Request { method: "GET", path: "/", query, headers: &headers, body, timestamp: "1551113065" };
    let key = v3::SigningKey::derive("secret", authorization.date, authorization.service);
    assert!(v3::verify(&request, &authorization, &key).is_err(), "nobody signed this");
});
