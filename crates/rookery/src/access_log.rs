//! A line for each request, under the target `access`: who asked for what, how it was answered, and how long that took.

use std::net::SocketAddr;
use std::time::Duration;

use http::header::{HOST, HeaderName, USER_AGENT};
use http::{Method, Request, Response};
use hyper::body::Body;
use rookery_gateway::listen::Connection;

/// Tells a client of the registry the id under which its request is logged; the API says its own in the reply.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request before it is answered. Its query may hold a signature or a token, and is not kept.
pub(crate) struct Asked {
    method: Method,
    host: String,
    path: String,
    client: String,
    peer: SocketAddr,
    secure: bool,
}

impl Asked {
    pub(crate) fn of<B>(request: &Request<B>, connection: Connection) -> Self {
        let header = |name| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        Self {
            method: request.method().clone(),
            host: header(HOST),
            path: request.uri().path().to_owned(),
            client: header(USER_AGENT),
            peer: connection.peer,
            secure: connection.secure,
        }
    }

    /// `what` is the repository of a registry's request, and the outcome of a call.
    pub(crate) fn log<B: Body>(
        &self,
        answer: &Response<B>,
        took: Duration,
        request_id: &str,
        operation: &str,
        caller: Option<&str>,
        what: Option<&str>,
    ) {
        let Self { method, host, path, client, peer, secure } = self;
        let bytes = answer.body().size_hint().exact().unwrap_or_default();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let (caller, what) = (caller.unwrap_or("-"), what.unwrap_or("-"));
        tracing::info!(
            target: "access",
            request_id,
            %peer,
            secure,
            %method,
            host,
            path,
            operation,
            what,
            caller,
            client,
            status = answer.status().as_u16(),
            bytes,
            micros,
            "answered"
        );
    }
}
