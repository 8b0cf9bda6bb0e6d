//! What the street costs: verified `GetCallerIdentity` calls through the gateway, without sockets and without HTTP's parser.
//!
//! Printed are nanoseconds of one call, the median of many turns, with the default trace; what it costs to hand over a request and
//! to drop it is measured by turns in the same run and taken off. With a number as argument it makes that many calls and prints nothing,
//! for tools that count instructions.

#![allow(clippy::print_stdout, reason = "the figures are for the one who measures")]

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rookery_gateway::{Gateway, Options};
use rookery_identity::{Cam, RootKey};
use rookery_seal::Seal;
use rookery_store::Store;
use rookery_tc3::v3;
use rookery_world::World;

const TURNS: usize = 201;
const CALLS: u32 = 2000;
const TRACES: usize = 2048;
const SECRET_ID: &str = "AKIDbench0000000000000000000000000000";
const SECRET_KEY: &str = "bench-secret-key-0000000000000000";
const HOST: &str = "127.0.0.1:8080";

fn signed(world: &World) -> Result<Request<Full<Bytes>>, Box<dyn std::error::Error>> {
    let timestamp = world.unix_seconds();
    let text = timestamp.to_string();
    let headers: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("host", HOST.as_bytes())];
    let message = v3::Request {
        method: "POST",
        path: "/",
        query: "",
        headers: &headers,
        body: b"{}",
        timestamp: &text,
    };
    let date = v3::scope_date(timestamp).unwrap_or_default();
    let authorization = v3::sign(&message, &["content-type", "host"], &date, "sts", SECRET_ID, SECRET_KEY);
    Ok(Request::post("/")
        .header("Host", HOST)
        .header("Content-Type", "application/json")
        .header("User-Agent", "SDK_PYTHON_3.0.1")
        .header("X-TC-Action", "GetCallerIdentity")
        .header("X-TC-Version", "2018-08-13")
        .header("X-TC-Timestamp", text)
        .header("X-TC-Region", "ap-guangzhou")
        .header("Authorization", authorization)
        .header("Content-Length", "2")
        .body(Full::new(Bytes::from_static(b"{}")))?)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = World::system();
    let directory = tempfile::tempdir()?;
    let root = RootKey::new(SECRET_ID.to_owned(), SECRET_KEY.to_owned())?;
    let (store, seal) = (Store::in_memory(), Seal::ephemeral()?);
    let cam = Cam::open(&store, &seal, &world, directory.path(), Some(root)).await?;
    let options = Options { traces: TRACES, ..Options::default() };
    let gateway =
        Gateway::new(world.clone(), Arc::clone(&cam) as _, rookery_identity::register(&cam), options);
    let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
    let request = signed(&world)?;
    if let Some(calls) = std::env::args().nth(1) {
        for _ in 0..calls.parse::<u32>()? {
            black_box(gateway.answer(request.clone(), peer).await);
        }
        return Ok(());
    }
    let (mut calls, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let began = Instant::now();
        for _ in 0..CALLS {
            let (reply, answered) = gateway.answer_and_tell(black_box(request.clone()), peer).await;
            assert!(answered.code.is_none());
            black_box(reply);
        }
        calls.push(began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        let began = Instant::now();
        for _ in 0..CALLS {
            drop(black_box(request.clone()));
        }
        bare.push(began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    println!("one verified call: {:.0} ns", median(calls) - median(bare));
    Ok(())
}
