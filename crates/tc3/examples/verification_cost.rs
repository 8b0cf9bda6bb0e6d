//! What verifying costs, beside hashing the same bytes and nothing else.
//!
//! Both are measured by turns in the same run; the median of many turns is printed. Raw is what no verification can do without: SHA-256 of the
//! body and of the canonical request, and one HMAC-SHA256 of the string to sign under a key that is at hand.

#![allow(clippy::print_stdout, reason = "the figures are for the one who measures")]

use std::hint::black_box;
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use rookery_tc3::v3::{self, Authorization, Request, SigningKey};
use sha2::{Digest, Sha256};

const TURNS: usize = 301;
const DATE: &str = "2019-02-25";
const SERVICE: &str = "cvm";
const SECRET: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";

/// Nanoseconds of one `work`, of a turn that is long enough for the clock.
fn turn(repetitions: u32, mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    for _ in 0..repetitions {
        work();
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(repetitions)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("body      verification      raw hashes    ratio");
    for size in [0_usize, 200, 1024, 65_536, 10 << 20] {
        let body = vec![b'a'; size];
        let headers: [(&str, &[u8]); 8] = [
            ("host", b"cvm.tencentcloudapi.com"),
            ("content-type", b"application/json"),
            ("x-tc-action", b"DescribeInstances"),
            ("x-tc-version", b"2017-03-12"),
            ("x-tc-timestamp", b"1551113065"),
            ("x-tc-region", b"ap-guangzhou"),
            ("user-agent", b"Go-http-client/1.1"),
            ("content-length", b"200"),
        ];
        let request = Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: &body,
            timestamp: "1551113065",
        };
        let header = v3::sign(&request, &["content-type", "host"], DATE, SERVICE, "AKIDEXAMPLE", SECRET);
        let key = SigningKey::derive(SECRET, DATE, SERVICE);
        let canonical = format!(
            "POST\n/\n\ncontent-type:application/json\nhost:cvm.tencentcloudapi.com\n\ncontent-type;host\n{}",
            v3::payload_hash(&body)
        );
        let text =
            format!("TC3-HMAC-SHA256\n1551113065\n{DATE}/{SERVICE}/tc3_request\n{}", v3::payload_hash(b""));
        let mac = Hmac::<Sha256>::new_from_slice(b"a key of thirty-two bytes, or so")?;
        let repetitions = u32::try_from((1_000_000 / (size + 500)).max(1))?;
        let (mut verification, mut raw) = (Vec::new(), Vec::new());
        for _ in 0..TURNS.min(if size > 1 << 20 { 15 } else { TURNS }) {
            verification.push(turn(repetitions, || {
                let authorization = Authorization::parse(black_box(&header));
                let verified = authorization.map(|parsed| v3::verify(black_box(&request), &parsed, &key));
                assert!(matches!(black_box(verified), Ok(Ok(_))));
            }));
            raw.push(turn(repetitions, || {
                black_box(Sha256::digest(black_box(&body)));
                black_box(Sha256::digest(black_box(canonical.as_bytes())));
                black_box(mac.clone().chain_update(black_box(text.as_bytes())).finalize());
            }));
        }
        let (verification, raw) = (median(verification), median(raw));
        println!("{size:>8}  {verification:>9.0} ns  {raw:>12.0} ns  {:>6.2}", verification / raw);
    }
    Ok(())
}
