//! Whole requests to a registry, one part of each at random: manifests, ranges, chunks, tokens, references, paths and queries. Nothing
//! may panic or be the registry's own fault, and what is accepted is what was sent.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use futures_util::future::{BoxFuture, ready};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use rookery_registry::{
    Access, AccessError, Actions, Deletion, Digest, Hooks, Located, ManifestPush, Options, Refusal, Registry, RegistryId,
    Repository, Subject, TokenKey,
};
use rookery_store::{Store, Transaction};
use rookery_world::World;
use tokio::runtime::Runtime;

const BLOB: &[u8] = b"0123456789";

/// Everybody may do everything, with any password.
struct Open;

impl Access for Open {
    fn locate(&self, _: &str, name: &str) -> Result<Option<Located>, AccessError> {
        let repository = Repository::new(RegistryId::new("one"), name).map_err(AccessError::undecided)?;
        Ok(Some(Located { repository, prefix: None }))
    }

    fn locate_host(&self, _: &str) -> Option<RegistryId> {
        Some(RegistryId::new("one"))
    }

    fn authenticate(
        &self,
        _: Option<&RegistryId>,
        _: &str,
        _: &str,
    ) -> BoxFuture<'_, Result<Option<Subject>, AccessError>> {
        Box::pin(ready(Ok(Some(Subject::new("anybody")))))
    }

    fn grant(
        &self,
        _: Option<&Subject>,
        _: &Repository,
        asked: Actions,
        _: IpAddr,
    ) -> BoxFuture<'_, Result<Actions, AccessError>> {
        Box::pin(ready(Ok(asked)))
    }
}

impl Hooks for Open {
    fn accept(&self, _: &mut Transaction<'_>, _: &ManifestPush) -> Result<(), Refusal> {
        Ok(())
    }

    fn accepted(&self, _: ManifestPush) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    fn deleted(&self, _: &mut Transaction<'_>, _: &Deletion) -> Result<(), Refusal> {
        Ok(())
    }
}

struct Place {
    runtime: Runtime,
    registry: Registry,
    _directory: tempfile::TempDir,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options::new(directory.path(), TokenKey::generate().expect("randomness"));
    let open = Arc::new(Open);
    let registry = Registry::new(options, Store::in_memory(), World::system(), open.clone(), open).expect("opens");
    let library = Repository::new(RegistryId::new("one"), "library/app").expect("valid");
    runtime.block_on(registry.put_blob(&library, Bytes::from_static(BLOB))).expect("a blob");
    Place { runtime, registry, _directory: directory }
});

fn answer(request: http::request::Builder, body: &[u8]) -> Option<(StatusCode, Bytes)> {
    // What is no request at all never gets here.
    let request: Request<_> =
        request.header("host", "localhost").body(Full::new(Bytes::copy_from_slice(body))).ok()?;
    let place = &*PLACE;
    place.runtime.block_on(async {
        let reply = place.registry.handle(request, false, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
        let status = reply.status();
        assert!(!status.is_server_error(), "{status}");
        Some((status, reply.into_body().collect().await.expect("a body").to_bytes()))
    })
}

fn asked(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("authorization", "Basic YTpi")
}

fuzz_target!(|input: (u8, &str)| {
    let (kind, text) = input;
    let blob = format!("/v2/library/app/blobs/{}", Digest::sha256(BLOB));
    match kind % 7 {
        0 => {
            let digest = Digest::sha256(text.as_bytes());
            let path = format!("/v2/library/app/manifests/{digest}");
            let put = asked(Method::PUT, &path).header("content-type", "application/vnd.oci.image.manifest.v1+json");
            if answer(put, text.as_bytes()).is_some_and(|(status, _)| status == StatusCode::CREATED) {
                let (status, bytes) = answer(asked(Method::GET, &path), b"").expect("a request");
                assert!(status == StatusCode::OK && bytes == text.as_bytes());
            }
        }
        1 => {
            if let Some((status, bytes)) = answer(asked(Method::GET, &blob).header("range", text), b"") {
                let whole = status == StatusCode::OK && bytes == BLOB;
                let part = status == StatusCode::PARTIAL_CONTENT
                    && !bytes.is_empty()
                    && BLOB.windows(bytes.len()).any(|part| part == bytes);
                assert!(whole || part || status == StatusCode::RANGE_NOT_SATISFIABLE, "{status}");
            }
        }
        2 => {
            let bearer = Request::builder().uri(&blob).header("authorization", format!("Bearer {text}"));
            // No token was ever given out, so none is good.
            assert!(answer(bearer, b"").is_none_or(|(status, _)| status == StatusCode::UNAUTHORIZED));
        }
        3 => {
            answer(Request::builder().uri(&blob).header("authorization", text), b"");
        }
        4 => {
            answer(asked(Method::GET, &format!("/v2/{text}")), b"");
        }
        5 => {
            answer(asked(Method::GET, &format!("/service/token?{text}")), b"");
            answer(asked(Method::GET, &format!("/v2/library/app/tags/list?{text}")), b"");
        }
        _ => {
            let path = "/v2/library/app/blobs/uploads/00000000-0000-4000-8000-000000000000";
            answer(asked(Method::PATCH, path).header("content-range", text), BLOB);
        }
    }
});
