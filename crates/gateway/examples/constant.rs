//! The gateway's sockets with a constant answer: the limit that `bench/` measures the gateway against.

#![allow(clippy::print_stdout, reason = "the address is for the one who measures")]

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use rookery_gateway::listen::{Connection, Listener};
use tokio::sync::watch;

const ANSWER: &str = r#"{"Response":{"Arn":"qcs::cam:100000000001:uin/100000000001","AccountId":"100000000001","UserId":"100000000001","PrincipalId":"100000000001","Type":"CAMUser","RequestId":"b5b41468-520d-4192-b42f-595cc34b6c1c"}}"#;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address =
        std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(([127, 0, 0, 1], 0).into());
    let listener = Listener::bind(address).await?;
    println!("{}", listener.address);
    let handler = Arc::new(|_: Request<Incoming>, _: Connection| async {
        let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        response
    });
    let (_stop, stopped) = watch::channel(false);
    listener.serve(None, handler, stopped).await;
    Ok(())
}
