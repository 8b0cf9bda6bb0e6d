//! A registry with a small product behind it, and a client that keeps no secrets.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use rookery_registry::{
    Access, AccessError, Actions, Deletion, Digest, Hooks, Located, ManifestPush, Options, Place, Pull,
    Refusal, Registry, RegistryId, Repository, Subject, Tag, TokenKey, usage,
};
use rookery_store::{Store, StoreError, Transaction};
use rookery_world::World;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Who is kept out by address.
pub(crate) const BANNED: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9));
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// `alice` may do everything, `bob` may pull, `carol` may pull and push below `library/`, everybody may pull `public/`.
/// The registries `demo` and `other` are addressed as `demo.test` or `…/demo/…`.
#[derive(Default)]
pub(crate) struct Product {
    /// Pushes told before they were stored.
    pub(crate) accepting: Mutex<Vec<ManifestPush>>,
    /// Pushes told after they were stored.
    pub(crate) accepted: Mutex<Vec<ManifestPush>>,
    /// Deletions told.
    pub(crate) deleted: Mutex<Vec<Deletion>>,
    /// Refuses tags called so, to be pushed or deleted; `*` refuses every deletion.
    pub(crate) frozen: Mutex<Option<String>>,
    /// Whose login has been taken back.
    pub(crate) gone: Mutex<Option<String>>,
    /// Pulls told: what was asked for, and who asked.
    pub(crate) pulled: Mutex<Vec<(String, Option<String>)>>,
    /// How many bytes the registry may hold.
    pub(crate) quota: Mutex<Option<u64>>,
    /// Makes every question of access fail.
    pub(crate) broken: Mutex<bool>,
}

impl Product {
    fn check(&self) -> Result<(), AccessError> {
        if *self.broken.lock() { Err(AccessError::undecided("the database at /secret")) } else { Ok(()) }
    }
}

impl Product {
    fn check_quota(&self, used: u64, added: u64) -> Result<(), Refusal> {
        match *self.quota.lock() {
            Some(quota) if used + added > quota => Err(Refusal::over_quota(used, added, quota)),
            _ => Ok(()),
        }
    }
}

fn registry_named(name: &str) -> Option<RegistryId> {
    matches!(name, "demo" | "other").then(|| RegistryId::new(format!("tcr-{name}")))
}

impl Access for Product {
    fn locate(&self, host: &str, name: &str) -> Result<Option<Located>, AccessError> {
        self.check()?;
        let (registry, rest, prefix) = if let Some(registry) = self.locate_host(host) {
            (registry, name, None)
        } else {
            let Some((first, rest)) = name.split_once('/') else { return Ok(None) };
            let Some(registry) = registry_named(first) else { return Ok(None) };
            (registry, rest, Some(first.to_owned()))
        };
        let repository = Repository::new(registry, rest).map_err(AccessError::undecided)?;
        Ok(Some(Located { repository, prefix }))
    }

    fn locate_host(&self, host: &str) -> Option<RegistryId> {
        registry_named(host.split(':').next()?.strip_suffix(".test")?)
    }

    fn admits(&self, _: &RegistryId, peer: IpAddr) -> Result<bool, AccessError> {
        Ok(peer != BANNED)
    }

    fn authenticate(
        &self,
        registry: Option<&RegistryId>,
        username: &str,
        password: &str,
    ) -> BoxFuture<'_, Result<Option<Subject>, AccessError>> {
        // The robot exists in one registry only.
        let known = match username {
            "robot" => registry.is_some_and(|registry| registry.as_str() == "tcr-demo"),
            name => matches!(name, "alice" | "bob" | "carol"),
        };
        let found = (known && password == "secret").then(|| Subject::new(username));
        Box::pin(async move { self.check().map(|()| found) })
    }

    fn stands(
        &self,
        subject: Option<&Subject>,
        _: &Repository,
        _: Actions,
        _: IpAddr,
    ) -> Result<bool, AccessError> {
        self.check()?;
        Ok(self.gone.lock().as_deref() != subject.map(|subject| subject.id.as_str()) || subject.is_none())
    }

    fn grant(
        &self,
        subject: Option<&Subject>,
        repository: &Repository,
        asked: Actions,
        _: IpAddr,
    ) -> BoxFuture<'_, Result<Actions, AccessError>> {
        let held = match subject.map(|subject| subject.id.as_str()) {
            Some("alice" | "robot") => Actions::ALL,
            Some("bob") => Actions::PULL,
            Some("carol") if repository.namespace() == "library" => Actions::PULL | Actions::PUSH,
            _ if repository.namespace() == "public" => Actions::PULL,
            _ => Actions::NONE,
        };
        Box::pin(async move { self.check().map(|()| held & asked) })
    }
}

impl Hooks for Product {
    fn accept(&self, tx: &mut Transaction<'_>, push: &ManifestPush) -> Result<(), Refusal> {
        self.accepting.lock().push(push.clone());
        let used = usage(tx, Place::Registry(push.repository.registry()))?.bytes;
        self.check_quota(used, if push.new_manifest { push.size } else { 0 })?;
        if self.frozen.lock().as_deref() == Some(push.reference.to_string().as_str()) {
            return Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "DENIED", "the tag is immutable"));
        }
        Ok(())
    }

    fn accept_blob(
        &self,
        tx: &mut Transaction<'_>,
        repository: &Repository,
        _: &Digest,
        size: u64,
    ) -> Result<(), Refusal> {
        let used = usage(tx, Place::Registry(repository.registry()))?.bytes;
        self.check_quota(used - size, size)
    }

    fn accepted(&self, push: ManifestPush) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.accepted.lock().push(push) })
    }

    fn pulled(&self, pull: &Pull<'_>) -> Option<BoxFuture<'static, ()>> {
        let puller = pull.puller.map(|puller| puller.id.clone());
        self.pulled.lock().push((pull.reference.to_string(), puller));
        None
    }

    fn deleted(&self, _: &mut Transaction<'_>, deletion: &Deletion) -> Result<(), Refusal> {
        let tags = match &deletion.target {
            rookery_registry::Deleted::Tag { tag, .. } => vec![tag.clone()],
            rookery_registry::Deleted::Manifest { tags, .. } => tags.clone(),
            rookery_registry::Deleted::Repository => Vec::new(),
        };
        if let Some(frozen) = self.frozen.lock().as_deref()
            && (frozen == "*" || tags.iter().any(|tag| tag.as_str() == frozen))
        {
            return Err(Refusal::denied("the tag is immutable"));
        }
        self.deleted.lock().push(deletion.clone());
        Ok(())
    }
}

/// A registry of its own in a directory of its own.
pub(crate) struct Kit {
    pub(crate) registry: Registry,
    pub(crate) product: Arc<Product>,
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) directory: TempDir,
    key: TokenKey,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The first code of an error body.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/json");
        self.json()["errors"][0]["code"].as_str().expect("a code").to_owned()
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// An error of the table.
    #[track_caller]
    pub(crate) fn fails(self, status: u16, code: &str) -> Self {
        let reply = self.is(status);
        assert_eq!(reply.code(), code);
        reply
    }
}

/// A request under construction.
pub(crate) struct Call<'k> {
    kit: &'k Kit,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    peer: IpAddr,
    secure: bool,
}

impl Kit {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let key = TokenKey::generate().expect("randomness");
        // Ages of files are real, so the pinned clock starts where the real one is.
        let world = World::pinned(OffsetDateTime::now_utc(), 1);
        Self::open(directory, Store::in_memory(), world, key)
    }

    /// A registry that sends clients away as soon as they have to be waited for.
    pub(crate) fn impatient() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let key = TokenKey::generate().expect("randomness");
        let world = World::pinned(OffsetDateTime::now_utc(), 1);
        let patience = std::time::Duration::from_millis(100);
        let options = Options { patience, ..Options::new(directory.path(), key.clone()) };
        Self::with(options, directory, Store::in_memory(), world, key)
    }

    fn open(directory: TempDir, store: Store, world: World, key: TokenKey) -> Self {
        Self::with(Options::new(directory.path(), key.clone()), directory, store, world, key)
    }

    fn with(options: Options, directory: TempDir, store: Store, world: World, key: TokenKey) -> Self {
        let product = Arc::new(Product::default());
        let registry = Registry::new(options, store.clone(), world.clone(), product.clone(), product.clone())
            .expect("opens");
        Self { registry, product, world, store, directory, key }
    }

    /// The same directory and store, opened again: what a new process would see.
    pub(crate) fn restarted(self) -> Self {
        let Self { registry, world, store, directory, key, .. } = self;
        drop(registry);
        Self::open(directory, store, world, key)
    }

    /// As a state of an older version, without any usage, is opened.
    pub(crate) async fn recounted(self) -> Self {
        let Self { registry, world, store, directory, key, .. } = self;
        drop(registry);
        let forget = |tx: &mut Transaction<'_>| {
            tx.drop_table("registry.usage")?;
            tx.drop_table("registry.counted")
        };
        store.write::<_, StoreError, _>(forget).await.expect("forgotten");
        Self::open(directory, store, world, key)
    }

    /// A request by alice to `demo.test`.
    pub(crate) fn call(&self, method: Method, path: impl Into<String>) -> Call<'_> {
        let headers = vec![
            ("host".to_owned(), "demo.test:5000".to_owned()),
            ("authorization".to_owned(), basic("alice")),
        ];
        Call { kit: self, method, path: path.into(), headers, body: Bytes::new(), peer: LOCAL, secure: false }
    }

    pub(crate) async fn get(&self, path: impl Into<String>) -> Reply {
        self.call(Method::GET, path).send().await
    }

    pub(crate) async fn head(&self, path: impl Into<String>) -> Reply {
        self.call(Method::HEAD, path).send().await
    }

    pub(crate) async fn delete(&self, path: impl Into<String>) -> Reply {
        self.call(Method::DELETE, path).send().await
    }

    pub(crate) async fn post(&self, path: impl Into<String>) -> Reply {
        self.call(Method::POST, path).send().await
    }

    /// Pushes a blob at once.
    pub(crate) async fn blob(&self, name: &str, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::sha256(&bytes);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        self.call(Method::POST, path).body(bytes).send().await.is(201);
        digest
    }

    /// Puts a manifest.
    pub(crate) async fn put(&self, name: &str, reference: &str, media_type: &str, manifest: &Value) -> Reply {
        self.call(Method::PUT, format!("/v2/{name}/manifests/{reference}"))
            .header("content-type", media_type)
            .body(manifest.to_string())
            .send()
            .await
    }

    /// Pushes an image of one layer with its blobs; `seed` makes it different from others.
    pub(crate) async fn image(&self, name: &str, tag: &str, seed: &str) -> Digest {
        let manifest = self.image_manifest(name, seed).await;
        self.put(name, tag, IMAGE, &manifest).await.is(201);
        digest_of(&manifest)
    }

    /// The blobs of an image, pushed, and its manifest, not pushed.
    pub(crate) async fn image_manifest(&self, name: &str, seed: &str) -> Value {
        let (config, layer) = (format!("{{\"seed\":\"{seed}\"}}"), format!("layer {seed}"));
        self.blob(name, config.clone()).await;
        self.blob(name, layer.clone()).await;
        json!({
            "schemaVersion": 2, "mediaType": IMAGE,
            "config": descriptor("application/vnd.oci.image.config.v1+json", config.as_bytes()),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", layer.as_bytes())],
        })
    }

    /// A token of the given user for the given scopes, asked for at `host`.
    pub(crate) async fn token(&self, host: &str, user: Option<&str>, scopes: &[&str]) -> String {
        let scopes = scopes.join("&scope=");
        let call = self
            .call(Method::GET, format!("/service/token?service=harbor-registry&scope={scopes}"))
            .header("host", host);
        let call = match user {
            Some(user) => call.header("authorization", &basic(user)),
            None => call.anonymous(),
        };
        let reply = call.send().await.is(200).json();
        assert_eq!(reply["token"], reply["access_token"]);
        reply["token"].as_str().expect("a token").to_owned()
    }
}

impl Call<'_> {
    /// Sets a header, instead of one of the same name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn user(self, user: &str) -> Self {
        self.header("authorization", &basic(user))
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn anonymous(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "authorization");
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn coming_from(mut self, peer: IpAddr) -> Self {
        self.peer = peer;
        self
    }

    pub(crate) fn by_tls(mut self) -> Self {
        self.secure = true;
        self
    }

    /// The length is announced, as clients that know it do.
    pub(crate) async fn send(mut self) -> Reply {
        let body = Full::new(std::mem::take(&mut self.body));
        self.send_body(body).await
    }

    pub(crate) async fn send_body<B>(self, body: B) -> Reply
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut request = Request::builder().method(self.method.clone()).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(body).expect("a request");
        let response = self.kit.registry.handle(request, self.secure, self.peer).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let reply = Reply { status: head.status, headers: head.headers, body };
        let length = reply.header("content-length");
        if self.method != Method::HEAD && !length.is_empty() {
            assert_eq!(length, reply.body.len().to_string(), "{reply:?}");
        }
        assert!(self.method != Method::HEAD || reply.body.is_empty());
        if self.path.starts_with("/v2") {
            assert_eq!(reply.header("docker-distribution-api-version"), "registry/2.0");
        }
        reply
    }
}

pub(crate) fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:secret")))
}

pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::sha256(bytes).as_str(), "size": bytes.len()})
}

pub(crate) fn digest_of(manifest: &Value) -> Digest {
    Digest::sha256(manifest.to_string().as_bytes())
}

pub(crate) fn repository(name: &str) -> Repository {
    Repository::new(RegistryId::new("tcr-demo"), name).expect("a name")
}

pub(crate) fn tag(tag: &str) -> Tag {
    Tag::new(tag).expect("a tag")
}
