//! The HTTP face: from a request to an operation, and from its outcome to a response.

mod blobs;
mod catalog;
mod login;
mod manifests;
mod referrers;
mod reply;
mod tags;
mod uploads;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};

use crate::Registry;
use crate::access::{Actions, Located};
use crate::authorization::{Caller, Stranger};
use crate::body::{RequestBody, ResponseBody};
use crate::challenge::{self, Scope, Why};
use crate::errors::Error;
use crate::hooks::Origin;
use crate::names::{Reference, Repository};
use crate::patience::{Patient, Stalled};
use crate::query::Query;
use crate::router::{Resource, Route};

pub(crate) use reply::DOCKER_CONTENT_DIGEST;
use reply::{Failure, json};

type Answer = Result<Response<ResponseBody>, Failure>;

/// Put into a request's extensions by whoever wants to know who asked for what.
#[derive(Debug, Clone, Default)]
pub struct Witness(Arc<OnceLock<Seen>>);

#[derive(Debug)]
struct Seen {
    repository: Repository,
    caller: Option<Arc<str>>,
}

impl Witness {
    /// The repository that was asked for, as `<registry>/<name>`, once the caller was known.
    #[must_use]
    pub fn repository(&self) -> Option<String> {
        self.0.get().map(|seen| seen.repository.to_string())
    }

    /// The [`Subject`](crate::Subject) that asked; `None` for an anonymous client and for a request that was turned away before.
    #[must_use]
    pub fn caller(&self) -> Option<&str> {
        self.0.get()?.caller.as_deref()
    }

    fn see(&self, repository: &Repository, caller: &Caller) {
        let caller = caller.subject().map(|subject| Arc::from(subject.id.as_str()));
        self.0.get_or_init(|| Seen { repository: repository.clone(), caller });
    }
}

/// Where a request came from and how it was addressed.
struct Arrival {
    method: Method,
    headers: HeaderMap,
    query: Query,
    /// As the client used it, port included.
    host: String,
    secure: bool,
    peer: IpAddr,
    witness: Option<Witness>,
}

/// A request below a repository whose caller may do what it asks.
struct Admitted {
    arrival: Arrival,
    repository: Repository,
    /// The repository's name as the client sees it.
    seen: String,
    caller: Caller,
}

impl Admitted {
    fn origin(&self) -> Origin {
        Origin::Client(self.caller.subject().cloned())
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.arrival.headers.get(name)?.to_str().ok()
    }
}

impl Registry {
    /// Answers everything under `/v2/` and `/service/token` (see [`serves`](crate::serves)). `secure` says whether the client
    /// came by TLS, `peer` from where. The future owns what it needs.
    ///
    /// Deleting asks for the `delete` action; the right to push does not include it.
    pub fn handle<B>(
        &self,
        request: Request<B>,
        secure: bool,
        peer: IpAddr,
    ) -> BoxFuture<'static, Response<ResponseBody>>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        // Most requests have none; for those this allocates nothing.
        let body = if body.is_end_stream() {
            Empty::new().map_err(|never| match never {}).boxed_unsync()
        } else {
            Patient::new(body, self.inner.patience).boxed_unsync()
        };
        let registry = self.clone();
        Box::pin(async move { registry.respond(head, body, secure, peer).await })
    }

    async fn respond(
        &self,
        head: Parts,
        body: RequestBody,
        secure: bool,
        peer: IpAddr,
    ) -> Response<ResponseBody> {
        let (is_head, is_token) = (head.method == Method::HEAD, head.uri.path() == crate::router::TOKEN_PATH);
        let mut response = self.answer(head, body, secure, peer).await.unwrap_or_else(Failure::into_response);
        if !is_token {
            let version = HeaderValue::from_static("registry/2.0");
            response.headers_mut().insert("docker-distribution-api-version", version);
        }
        if is_head {
            // The length is in the header already; the body would say the same.
            *response.body_mut() = ResponseBody::default();
        }
        response
    }

    async fn answer(&self, head: Parts, body: RequestBody, secure: bool, peer: IpAddr) -> Answer {
        let route = Route::parse(head.uri.path()).map_err(|error| match error {
            // Nothing can be under a name that is no tag; only whoever pushes has to know why.
            Error::TagInvalid if head.method != Method::PUT => {
                Error::ManifestUnknown(head.uri.path().to_owned())
            }
            error => error,
        })?;
        let query = Query::parse(head.uri.query().unwrap_or_default(), false)?;
        let authority = head.uri.authority().map(http::uri::Authority::as_str);
        let host =
            head.headers.get(HOST).and_then(|host| host.to_str().ok()).or(authority).unwrap_or_default();
        if !challenge::is_host(host) {
            return Err(Error::ParameterInvalid("host").into());
        }
        let host = host.to_owned();
        let witness = head.extensions.get::<Witness>().cloned();
        let arrival =
            Arrival { method: head.method, headers: head.headers, query, host, secure, peer, witness };
        match route {
            Route::Token => Box::pin(self.issue_token(&arrival, body)).await,
            Route::Ping => self.ping(&arrival).await,
            Route::Catalog => self.serve_catalog(&arrival).await,
            Route::Repository { name, resource } => {
                self.serve_repository(arrival, &name, resource, body).await
            }
        }
    }

    async fn ping(&self, arrival: &Arrival) -> Answer {
        only(&arrival.method, &[Method::GET, Method::HEAD], "GET, HEAD")?;
        let registry = self.inner.access.locate_host(&arrival.host);
        if let Some(registry) = &registry {
            self.admit(registry, arrival.peer)?;
        }
        let caller = self.caller(registry.as_ref(), arrival.headers.get(AUTHORIZATION)).await;
        caller.map_err(|stranger| self.turn_away(arrival, &Scope::None, stranger))?;
        Ok(json(StatusCode::OK, &serde_json::json!({})))
    }

    async fn serve_repository(
        &self,
        arrival: Arrival,
        name: &str,
        resource: Resource,
        body: RequestBody,
    ) -> Answer {
        let actions = needed(&resource, &arrival.method)?;
        let located = self.inner.access.locate(&arrival.host, name).map_err(Error::from)?;
        let Some(located) = located else { return Err(Error::NameUnknown.into()) };
        let seen = seen(&located);
        let repository = located.repository;
        self.admit(repository.registry(), arrival.peer)?;
        // Made only for whoever is turned away.
        let scope = || Scope::Repository { name: seen.clone(), actions: asked_for(actions) };
        let caller = self.caller(Some(repository.registry()), arrival.headers.get(AUTHORIZATION)).await;
        let caller = caller.map_err(|stranger| self.turn_away(&arrival, &scope(), stranger))?;
        if let Some(witness) = &arrival.witness {
            witness.see(&repository, &caller);
        }
        if !self.holds(&caller, &repository, actions, arrival.peer).await? {
            return Err(match caller {
                Caller::Bearer(_) => {
                    self.turn_away(&arrival, &scope(), Stranger::Challenged(Why::InsufficientScope))
                }
                // Another token would not help whoever already gave a password.
                Caller::Basic(_) => {
                    Error::Denied("requested access to the resource is denied".to_owned()).into()
                }
            });
        }
        let admitted = Admitted { arrival, repository, seen, caller };
        match resource {
            Resource::Tags => self.list_tags(&admitted),
            Resource::Referrers(digest) => self.list_referrers(&admitted, &digest),
            Resource::Blob(digest) => self.serve_blob(&admitted, &digest).await,
            Resource::Manifest(reference) => self.serve_manifest(&admitted, reference, body).await,
            // Apart, so that what pulls allocate for their future does not have the size of a push.
            Resource::Uploads => Box::pin(self.start_upload(admitted, body)).await,
            Resource::Upload(id) => Box::pin(self.serve_upload(admitted, id, body)).await,
        }
    }

    fn admit(&self, registry: &crate::RegistryId, peer: IpAddr) -> Result<(), Error> {
        if self.inner.access.admits(registry, peer)? {
            Ok(())
        } else {
            Err(Error::Denied("access from this address is not allowed".to_owned()))
        }
    }

    /// A 401 with the challenge that helps.
    fn turn_away(&self, arrival: &Arrival, scope: &Scope, stranger: Stranger) -> Failure {
        match stranger {
            Stranger::Failed(error) => error.into(),
            Stranger::Challenged(why) => Failure::challenged(&challenge::bearer(
                &arrival.host,
                arrival.secure,
                self.inner.tokens.service(),
                scope,
                why,
            )),
        }
    }
}

/// The repository's name with the prefix by which its registry was addressed.
fn seen(located: &Located) -> String {
    let name = located.repository.name();
    located.prefix.as_ref().map_or_else(|| name.to_owned(), |prefix| format!("{prefix}/{name}"))
}

fn only(method: &Method, allowed: &[Method], text: &'static str) -> Result<(), Error> {
    if allowed.contains(method) { Ok(()) } else { Err(Error::MethodNotAllowed(text)) }
}

/// The action that a method on a resource takes.
fn needed(resource: &Resource, method: &Method) -> Result<Actions, Error> {
    let read = matches!(*method, Method::GET | Method::HEAD);
    let (known, methods) = match resource {
        Resource::Tags | Resource::Referrers(_) => (read, "GET, HEAD"),
        Resource::Manifest(_) => {
            (read || matches!(*method, Method::PUT | Method::DELETE), "GET, HEAD, PUT, DELETE")
        }
        Resource::Blob(_) => (read || *method == Method::DELETE, "GET, HEAD, DELETE"),
        Resource::Uploads => (*method == Method::POST, "POST"),
        Resource::Upload(_) => (
            read || matches!(*method, Method::PATCH | Method::PUT | Method::DELETE),
            "GET, HEAD, PATCH, PUT, DELETE",
        ),
    };
    if !known {
        return Err(Error::MethodNotAllowed(methods));
    }
    // Whatever is done with an upload, looking at it or dropping it, is part of pushing.
    Ok(match (resource, method) {
        (Resource::Uploads | Resource::Upload(_), _) | (_, &Method::PUT) => Actions::PUSH,
        (_, &Method::DELETE) => Actions::DELETE,
        _ => Actions::PULL,
    })
}

/// What the challenge asks for: who pushes also looks at what is there.
fn asked_for(actions: Actions) -> Actions {
    if actions == Actions::PUSH { Actions::PULL | Actions::PUSH } else { actions }
}

/// The exact length that the client announced.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body that must not be longer than `limit`; `None` when it is.
async fn read_body(mut body: RequestBody, headers: &HeaderMap, limit: usize) -> Result<Option<Bytes>, Error> {
    if content_length(headers).is_some_and(|length| length > limit as u64) {
        return Ok(None);
    }
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken_off(&*error))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > limit {
                return Ok(None);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(Some(bytes.freeze()))
}

/// Why a body ended early.
pub(crate) fn broken_off(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    if error.is::<Stalled>() { Error::BodyStalled } else { Error::BodyIncomplete }
}

/// Where a resource of the repository is, as the client sees it.
fn location(seen: &str, rest: &str) -> String {
    format!("/v2/{seen}/{rest}")
}

/// What a manifest reference is called in an error.
fn unknown(reference: &Reference) -> Error {
    Error::ManifestUnknown(reference.to_string())
}
