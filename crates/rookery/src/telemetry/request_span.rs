//! A request as a span, in the semantic conventions of HTTP servers. No query, header value or body is in it: there are the secrets.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::uri::Authority;
use http::{HeaderMap, Method, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use rookery_gateway::Answered;
use rookery_gateway::listen::Connection;
use rookery_registry::Operation;

use super::{SERVICE, Telemetry};

/// What a collector tells apart; a client may send any word.
const METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

/// The span of a request that is being answered.
pub(crate) struct RequestSpan(Context);

impl Telemetry {
    /// Begins the span of a request; it goes on from the client's `traceparent`, if there is one.
    pub(crate) fn begin<B>(
        &self,
        request: &Request<B>,
        connection: Connection,
        route: Option<&'static str>,
    ) -> RequestSpan {
        let headers = request.headers();
        let parent =
            TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let known = METHODS.iter().find(|known| *known == request.method()).map(Method::as_str);
        let method = known.unwrap_or("_OTHER");
        let name = match (known, route) {
            (Some(method), Some(route)) => format!("{method} {route}"),
            (Some(method), None) => method.to_owned(),
            (None, _) => "HTTP".to_owned(),
        };
        let peer = connection.peer;
        let mut attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.scheme", if connection.secure { "https" } else { "http" }),
            KeyValue::new("url.path", request.uri().path().to_owned()),
            KeyValue::new("network.protocol.version", version(request.version())),
            KeyValue::new("network.peer.address", peer.ip().to_string()),
            KeyValue::new("network.peer.port", i64::from(peer.port())),
        ];
        attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
        if known.is_none() {
            let original = request.method().as_str().to_owned();
            attributes.push(KeyValue::new("http.request.method_original", original));
        }
        if let Some(authority) = authority(request) {
            let host = authority.host().trim_matches(['[', ']']).to_owned();
            attributes.push(KeyValue::new("server.address", host));
            attributes.extend(authority.port_u16().map(|port| KeyValue::new("server.port", i64::from(port))));
        }
        if let Some(agent) = header(headers, &USER_AGENT) {
            attributes.push(KeyValue::new("user_agent.original", agent.to_owned()));
        }
        let tracer = self.provider.tracer(SERVICE);
        let builder = tracer.span_builder(name).with_kind(SpanKind::Server).with_attributes(attributes);
        let span = tracer.build_with_context(builder, &parent);
        RequestSpan(parent.with_span(span))
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &http::HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// What the client calls the server; some write the scheme into `Host`, too.
fn authority<B>(request: &Request<B>) -> Option<Authority> {
    if let Some(named) = request.uri().authority() {
        return Some(named.clone());
    }
    let host = header(request.headers(), &HOST)?;
    host.split_once("://").map_or(host, |(_, authority)| authority).parse().ok()
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

/// The paths of an operation as one word.
pub(crate) fn route(operation: Operation) -> Option<&'static str> {
    Some(match operation {
        Operation::Ping => "/v2/",
        Operation::Token => "/service/token",
        Operation::Catalog => "/v2/_catalog",
        Operation::Manifest => "/v2/{name}/manifests/{reference}",
        Operation::Blob => "/v2/{name}/blobs/{digest}",
        Operation::Upload => "/v2/{name}/blobs/uploads/{id}",
        Operation::Tags => "/v2/{name}/tags/list",
        Operation::Referrers => "/v2/{name}/referrers/{digest}",
        Operation::Other => return None,
    })
}

impl RequestSpan {
    /// What is begun on behalf of the request belongs below it.
    pub(crate) fn context(&self) -> Context {
        self.0.clone()
    }

    /// What became of a request to the registry.
    pub(crate) fn registry<B: Body>(
        &self,
        answer: &Response<B>,
        request_id: &str,
        operation: Operation,
        caller: Option<&str>,
        repository: Option<String>,
    ) {
        let span = self.0.span();
        span.set_attributes(repository.map(|repository| KeyValue::new("rookery.repository", repository)));
        self.served(answer, format!("registry:{}", operation.name()));
        self.answered(answer, request_id, caller);
    }

    /// What became of the download of a database's file.
    pub(crate) fn file<B: Body>(&self, answer: &Response<B>, request_id: &str, operation: &str) {
        self.served(answer, format!("mariadb:{operation}"));
        self.answered(answer, request_id, None);
    }

    /// What HTTP says of how it went.
    fn served<B>(&self, answer: &Response<B>, action: String) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new("rookery.action", action));
        if answer.status().is_server_error() {
            span.set_attribute(KeyValue::new("error.type", answer.status().as_str().to_owned()));
            span.set_status(Status::error(""));
        }
    }

    /// What became of a call.
    pub(crate) fn call<B: Body>(&self, answer: &Response<B>, answered: &Answered) {
        let span = self.0.span();
        if let (Some(product), Some(action)) = (answered.product, &answered.action) {
            let action = format!("{product}:{action}");
            span.update_name(action.clone());
            span.set_attribute(KeyValue::new("rookery.action", action));
        }
        if let Some(code) = answered.code {
            span.set_attribute(KeyValue::new("error.type", code));
            // As for HTTP: what is wrong with a request is no failure of the server.
            if code.starts_with("InternalError") {
                span.set_status(Status::error(""));
            }
        }
        let caller = answered.principal.map(|uin| uin.to_string());
        self.answered(answer, &answered.request_id.to_string(), caller.as_deref());
    }

    fn answered<B: Body>(&self, answer: &Response<B>, request_id: &str, caller: Option<&str>) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(answer.status().as_u16())));
        span.set_attribute(KeyValue::new("rookery.request_id", request_id.to_owned()));
        span.set_attributes(caller.map(|caller| KeyValue::new("rookery.caller", caller.to_owned())));
        let size = answer.body().size_hint().exact().and_then(|size| i64::try_from(size).ok());
        span.set_attributes(size.map(|size| KeyValue::new("http.response.body.size", size)));
    }
}

/// A body that ends the span of its request, where there is one, when the last of it is sent or nobody wants more.
pub(crate) struct Spanned<B: Body + Unpin> {
    body: B,
    span: Option<RequestSpan>,
}

impl<B: Body + Unpin> Spanned<B> {
    pub(crate) fn new(body: B, span: Option<RequestSpan>) -> Self {
        Self { body, span }
    }
}

impl<B: Body + Unpin> Drop for Spanned<B> {
    fn drop(&mut self) {
        let Some(RequestSpan(context)) = self.span.take() else { return };
        if !self.body.is_end_stream() {
            context.span().set_attribute(KeyValue::new("error.type", "incomplete"));
        }
        context.span().end();
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Spanned<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let (Some(Err(_)), Some(RequestSpan(context))) = (&frame, &self.span) {
            context.span().set_status(Status::error("the answer broke off"));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_what_its_client_calls_it() {
        let named = |uri: &str, host: Option<&str>| {
            let mut request = Request::get(uri);
            if let Some(host) = host {
                request = request.header(HOST, host);
            }
            authority(&request.body(()).unwrap())
                .map(|authority| (authority.host().to_owned(), authority.port_u16()))
        };
        let local = Some(("127.0.0.1".to_owned(), Some(8080)));
        assert_eq!(named("/", Some("127.0.0.1:8080")), local);
        assert_eq!(named("/", Some("http://127.0.0.1:8080")), local);
        assert_eq!(named("http://127.0.0.1:8080/", Some("elsewhere")), local);
        assert_eq!(named("/", Some("no host")), None);
        assert_eq!(named("/", None), None);
    }

    #[test]
    fn every_path_of_the_registry_has_a_route() {
        for operation in Operation::ALL {
            assert_eq!(route(operation).is_none(), operation == Operation::Other, "{}", operation.name());
        }
    }
}
