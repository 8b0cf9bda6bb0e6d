//! Which part answers a request: the registry, the admin pages, or the API. All share the ports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use opentelemetry::trace::FutureExt as _;
use rookery_gateway::listen::Connection;
use rookery_gateway::{Gateway, RequestId, Standing};
use rookery_identity::{BindError, Cam};
use rookery_mariadb::MariaDb;
use rookery_registry::{Operation, Registry, ResponseBody, Witness};
use rookery_tcr::{PastTagError, Tcr};
use rookery_world::World;
use serde::Serialize;

use crate::access_log::{Asked, REQUEST_ID};
use crate::files;
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::telemetry::{self, RequestSpan, Spanned, Telemetry};

const ADMIN: &str = "/_rookery/";
/// The paths of databases' files as one word, and what asking for one is called.
const FILES_ROUTE: &str = "/_rookery/files/{path}";
const DOWNLOAD: &str = "DownloadFile";
/// How many records a listing of the trace shows.
const LISTED: usize = 100;

/// Everything that answers.
pub(crate) struct Front {
    pub(crate) gateway: Gateway,
    pub(crate) world: World,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tcr: Arc<Tcr>,
    pub(crate) cam: Arc<Cam>,
    pub(crate) mariadb: Arc<MariaDb>,
    pub(crate) metrics: Metrics,
    pub(crate) readiness: Readiness,
    /// Whether each request is logged.
    pub(crate) access_log: bool,
    /// Sends a span for each request, where it was asked for.
    pub(crate) telemetry: Option<Telemetry>,
}

type Answer = Response<Spanned<Either<Full<Bytes>, ResponseBody>>>;

impl Front {
    pub(crate) async fn answer(&self, request: Request<Incoming>, connection: Connection) -> Answer {
        let path = request.uri().path();
        if rookery_registry::serves(path) {
            // In a box, because it is several times as large as a call, which would be moved about with as much room.
            let (answer, span) = Box::pin(self.serve_registry(request, connection)).await;
            return answer.map(|body| Spanned::new(Either::Right(body), span));
        }
        if path.strip_prefix(rookery_mariadb::FILES).is_some_and(|rest| rest.starts_with('/')) {
            let (answer, span) = Box::pin(self.serve_file(request, connection)).await;
            return answer.map(|body| Spanned::new(Either::Right(body), span));
        }
        if let Some(page) = path.strip_prefix(ADMIN) {
            let (method, headers) = (request.method(), request.headers());
            let answer = Box::pin(self.admin(page, method, headers, connection.peer)).await;
            return answer.map(|body| Spanned::new(Either::Left(body), None));
        }
        let (answer, span) = self.serve_call(request, connection).await;
        answer.map(|body| Spanned::new(Either::Left(body), span))
    }

    async fn serve_registry(
        &self,
        mut request: Request<Incoming>,
        connection: Connection,
    ) -> (Response<ResponseBody>, Option<RequestSpan>) {
        let (counting, began) = (self.metrics.begin(), Instant::now());
        let operation = Operation::of(request.uri().path());
        let span = self.begin_span(&request, connection, telemetry::route(operation));
        let logged = self.access_log.then(|| Asked::of(&request, connection));
        let witness = (logged.is_some() || span.is_some()).then(Witness::default);
        if let Some(witness) = &witness {
            request.extensions_mut().insert(witness.clone());
        }
        let answering = self.registry.handle(request, connection.secure, connection.peer.ip());
        let mut answer = within(span.as_ref(), answering).await;
        let took = began.elapsed();
        counting.registry(operation, answer.status(), took);
        if let Some(witness) = witness {
            let id = self.world.uuid().to_string();
            let (caller, repository) = (witness.caller(), witness.repository());
            if let Some(asked) = logged {
                asked.log(&answer, took, &id, operation.name(), caller, repository.as_deref());
            }
            if let Some(span) = &span {
                span.registry(&answer, &id, operation, caller, repository);
            }
            if let Ok(id) = HeaderValue::from_str(&id) {
                answer.headers_mut().insert(REQUEST_ID, id);
            }
        }
        (answer, span)
    }

    async fn serve_file(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> (Response<ResponseBody>, Option<RequestSpan>) {
        let begun = Instant::now();
        let span = self.begin_span(&request, connection, Some(FILES_ROUTE));
        let answer = within(span.as_ref(), files::answer(&self.mariadb, &request)).await;
        let id = (self.access_log || span.is_some()).then(|| self.world.uuid().to_string());
        if let Some(id) = id.as_ref().filter(|_| self.access_log) {
            Asked::of(&request, connection).log(&answer, begun.elapsed(), id, DOWNLOAD, None, None);
        }
        if let (Some(span), Some(id)) = (&span, &id) {
            span.file(&answer, id, DOWNLOAD);
        }
        (answer, span)
    }

    async fn serve_call(
        &self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> (Response<Full<Bytes>>, Option<RequestSpan>) {
        let counting = self.metrics.begin();
        let span = self.begin_span(&request, connection, None);
        let logged = self.access_log.then(|| Asked::of(&request, connection));
        let (answer, answered) = match &span {
            // In a box, so that a call without a span takes no more room.
            Some(span) => {
                let answering = Box::pin(self.gateway.answer_and_tell(request, connection));
                answering.with_context(span.context()).await
            }
            None => self.gateway.answer_and_tell(request, connection).await,
        };
        counting.call(&answered);
        if let Some(span) = &span {
            span.call(&answer, &answered);
        }
        if let Some(asked) = logged {
            let (id, caller) =
                (answered.request_id.to_string(), answered.principal.map(|uin| uin.to_string()));
            let outcome = answered.code.unwrap_or("ok");
            let action = answered.action.as_deref();
            asked.log(
                &answer,
                answered.took,
                &id,
                action.unwrap_or("unknown"),
                caller.as_deref(),
                Some(outcome),
            );
        }
        (answer, span)
    }

    fn begin_span(
        &self,
        request: &Request<Incoming>,
        connection: Connection,
        route: Option<&'static str>,
    ) -> Option<RequestSpan> {
        self.telemetry.as_ref().map(|telemetry| telemetry.begin(request, connection, route))
    }

    /// The admin pages: for this machine only, and not for the scripts of web pages, which a browser on this machine may be running.
    async fn admin(
        &self,
        page: &str,
        method: &Method,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Response<Full<Bytes>> {
        if !peer.ip().is_loopback() || headers.contains_key(ORIGIN) || !names_this_machine(headers) {
            return json(
                StatusCode::FORBIDDEN,
                &Problem { error: "the admin pages are for this machine only" },
            );
        }
        if let (&Method::POST, Some(uin)) = (method, page.strip_prefix("mfa/")) {
            return self.bind_mfa(uin).await;
        }
        if let (&Method::POST, Some(image)) = (method, page.strip_prefix("tags/")) {
            return self.restore_tag(image).await;
        }
        if method != Method::GET {
            return json(StatusCode::METHOD_NOT_ALLOWED, &Problem { error: "only GET is served here" });
        }
        match page {
            "metrics" => self.metrics.page(&self.registry.figures()),
            "ready" => self.ready().await,
            "health" => json(StatusCode::OK, &Health { status: "ok", version: env!("CARGO_PKG_VERSION") }),
            "traces" => json(StatusCode::OK, &self.gateway.traces().latest(LISTED)),
            "traces/all" => json(StatusCode::OK, &self.gateway.traces().latest(usize::MAX)),
            "actions" => {
                let coverage = self.gateway.actions().coverage();
                let rows = coverage.map(|(product, action, standing)| Coverage {
                    product: product.name,
                    version: product.version,
                    action: action.name,
                    implemented: standing == Standing::Implemented,
                    unsupported: if let Standing::Unsupported(reason) = standing {
                        Some(reason.english)
                    } else {
                        None
                    },
                });
                json(StatusCode::OK, &rows.collect::<Vec<_>>())
            }
            _ if page.starts_with("signing/") => self.signing(page).await,
            _ if page.starts_with("tags/") => self.past_tags(page),
            _ => {
                let id = page.strip_prefix("traces/").and_then(|id| id.parse().ok()).map(RequestId);
                match id.and_then(|id| self.gateway.traces().find(id)) {
                    Some(record) => json(StatusCode::OK, &record),
                    None => json(StatusCode::NOT_FOUND, &Problem { error: "no such record or page" }),
                }
            }
        }
    }
}

impl Front {
    /// `POST mfa/<uin>`: binds a software token to the root or to a user, as the platform's console does. Its seed is told this once.
    async fn bind_mfa(&self, uin: &str) -> Response<Full<Bytes>> {
        let Ok(uin) = uin.parse() else {
            return json(StatusCode::NOT_FOUND, &Problem { error: "mfa/<uin> is missing a number" });
        };
        match self.cam.bind_mfa(uin).await {
            Ok(device) => json(StatusCode::OK, &device),
            Err(BindError::NoIdentity) => {
                json(StatusCode::NOT_FOUND, &Problem { error: "no root or user of that number" })
            }
            Err(BindError::Failed) => json(
                StatusCode::INTERNAL_SERVER_ERROR,
                &Problem { error: "the device cannot be kept; the log says why" },
            ),
        }
    }

    /// `tags/<instance>/<namespace>/<repository>[:<tag>]`: what tags named before.
    fn past_tags(&self, page: &str) -> Response<Full<Bytes>> {
        match self.tcr.tag_history(page.strip_prefix("tags/").unwrap_or_default()) {
            Ok(past) => json(StatusCode::OK, &past),
            Err(error) => unrestored(&error),
        }
    }

    /// `POST tags/<instance>/<namespace>/<repository>:<tag>[@<digest>]`: lets a tag name what it named before.
    async fn restore_tag(&self, image: &str) -> Response<Full<Bytes>> {
        match self.tcr.restore_tag(image).await {
            Ok(digest) => json(StatusCode::OK, &Restored { digest }),
            Err(error) => unrestored(&error),
        }
    }

    /// 200 when a push and a call that writes would be taken now, else 503 with the reason in the log.
    async fn ready(&self) -> Response<Full<Bytes>> {
        if self.readiness.ask(&self.registry).await {
            json(StatusCode::OK, &Health { status: "ready", version: env!("CARGO_PKG_VERSION") })
        } else {
            let problem = Problem { error: "the state, its disk or the place of the blobs takes no writes" };
            json(StatusCode::SERVICE_UNAVAILABLE, &problem)
        }
    }

    /// `signing/<registry id>/<namespace>`: how to verify the signatures of a namespace.
    async fn signing(&self, page: &str) -> Response<Full<Bytes>> {
        let place = page.strip_prefix("signing/").and_then(|place| place.split_once('/'));
        let Some((registry, namespace)) = place else {
            return json(
                StatusCode::NOT_FOUND,
                &Problem { error: "signing/<registry id>/<namespace> is missing a part" },
            );
        };
        match self.tcr.verification(registry, namespace).await {
            Ok(Some(verification)) => json(StatusCode::OK, &verification),
            Ok(None) => {
                json(StatusCode::NOT_FOUND, &Problem { error: "no such namespace with a signature policy" })
            }
            Err(error) => {
                tracing::error!(registry, namespace, %error, "it cannot be said how to verify signatures");
                json(StatusCode::SERVICE_UNAVAILABLE, &Problem { error: "the key service does not answer" })
            }
        }
    }
}

#[derive(Serialize)]
struct Problem {
    error: &'static str,
}

#[derive(Serialize)]
struct Restored {
    digest: String,
}

/// An error whose text is made for the case.
#[derive(Serialize)]
struct Told {
    error: String,
}

/// Why past tags cannot be told or restored, to the operator of this machine.
fn unrestored(error: &PastTagError) -> Response<Full<Bytes>> {
    let status = match error {
        PastTagError::Malformed(_) => StatusCode::BAD_REQUEST,
        PastTagError::NoInstance(_) | PastTagError::NothingToRestore(_) => StatusCode::NOT_FOUND,
        PastTagError::Registry(error) => error.status(),
        PastTagError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    if status.is_server_error() {
        tracing::error!(%error, "past tags cannot be told or restored");
    }
    json(status, &Told { error: error.to_string() })
}

#[derive(Serialize)]
struct Coverage {
    product: &'static str,
    version: &'static str,
    action: &'static str,
    implemented: bool,
    /// Why it will not be.
    unsupported: Option<&'static str>,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

/// Lets what `answering` begins belong to the span of its request, where there is one.
async fn within<T>(span: Option<&RequestSpan>, answering: impl Future<Output = T>) -> T {
    match span {
        Some(span) => answering.with_context(span.context()).await,
        None => answering.await,
    }
}

/// A foreign name that resolves to this machine (DNS rebinding) must not reach the admin pages.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_reach_the_admin_pages() {
        let named = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_str(host).unwrap());
            names_this_machine(&headers)
        };
        assert!(
            named("127.0.0.1:8080") && named("localhost:8080") && named("[::1]:8080") && named("localhost")
        );
        assert!(!named("evil.example:8080") && !named("192.0.2.1") && !named(""));
        assert!(!names_this_machine(&HeaderMap::new()));
    }
}
