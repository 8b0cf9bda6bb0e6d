//! A server that keeps what it is asked and answers what it is told.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part; tests say what they expect by failing"
)]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rookery_client::{Client, Credentials};
use tokio::net::TcpListener;

/// What is answered to a request.
pub enum Answer {
    /// A status and a body.
    Reply(u16, Vec<u8>),
    /// The connection is closed.
    Break,
    /// Nothing, ever.
    Silence,
}

impl Answer {
    /// A response in the platform's envelope, without the `RequestId`.
    pub fn response(members: &str) -> Self {
        Self::Reply(200, format!(r#"{{"Response":{{{members}{}"RequestId":"r"}}}}"#, comma(members)).into())
    }

    /// A refusal.
    pub fn refusal(code: &str) -> Self {
        Self::response(&format!(r#""Error":{{"Code":"{code}","Message":"m"}}"#))
    }

    /// Text with status 200.
    pub fn text(text: &str) -> Self {
        Self::Reply(200, text.into())
    }
}

fn comma(members: &str) -> &str {
    if members.is_empty() { "" } else { "," }
}

type Seen = Arc<Mutex<Vec<Request<Bytes>>>>;

/// A running server; it ends with the test's runtime.
pub struct Stub {
    pub url: String,
    seen: Seen,
}

impl Stub {
    /// Starts a server that answers its n-th request (from 0) with `answer(n, request)`.
    pub async fn start(answer: impl Fn(usize, &Request<Bytes>) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Seen::default();
        let (answer, kept) = (Arc::new(answer), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                    async move {
                        let (head, body) = request.into_parts();
                        let request = Request::from_parts(head, body.collect().await.unwrap().to_bytes());
                        let number = kept.lock().unwrap().len();
                        let answer = answer(number, &request);
                        kept.lock().unwrap().push(request);
                        match answer {
                            Answer::Reply(status, body) => Ok::<_, std::io::Error>(
                                Response::builder()
                                    .status(status)
                                    .body(Full::new(Bytes::from(body)))
                                    .unwrap(),
                            ),
                            Answer::Break => Err(std::io::Error::other("closed on purpose")),
                            Answer::Silence => std::future::pending().await,
                        }
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, seen }
    }

    /// Everything that was asked.
    pub fn seen(&self) -> Vec<Request<Bytes>> {
        self.seen.lock().unwrap().clone()
    }

    /// How often something was asked.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// A client of the server with the key AKID1.
    pub fn client(&self) -> Client {
        Client::new(&self.url, Credentials::new("AKID1", "secret")).unwrap()
    }
}

/// A header's text; empty without it.
pub fn header<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).map_or("", |value| value.to_str().unwrap())
}
