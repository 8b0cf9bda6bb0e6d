//! Who may do what in the registry: which instance an address means, who a login is, and what it may touch.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rookery_gateway::{Caller, Circumstances, Decision, Identity, Principal, Question, Resource};
use rookery_registry::{Access, AccessError, Actions, Located, RegistryId, Repository, Subject};
use rookery_store::{Read as _, Store, StoreError, View};
use rookery_world::World;

use crate::custom_domains::Domains;
use crate::error::Error;
use crate::external_endpoint;
use crate::instances::{self, Instance, Status};
use crate::login_throttle::LoginThrottle;
use crate::moments::Moment;
use crate::namespaces;
use crate::service_accounts::{self, ServiceAccounts};
use crate::standing::{Key, Known, Standing};
use crate::tokens;

/// The platform's own domain, for clients whose names are made to resolve here.
const PLATFORM_SUFFIX: &str = "tencentcloudcr.com";

/// What the registry's actions are to policies (`tcr.md` §1.23). Deleting by the registry is the deletion of an image by the API.
const OPERATIONS: [(Actions, &str); 3] = [
    (Actions::PULL, "tcr:PullRepository"),
    (Actions::PUSH, "tcr:PushRepository"),
    (Actions::DELETE, "tcr:DeleteImage"),
];

/// Bytes of a caller's text that is remembered at most. A longer one has a policy in it and is read each time.
const REMEMBERED_CALLER: usize = 2048;

/// What a host names.
enum Named {
    /// An instance, if it is there.
    Instance(Option<Arc<Instance>>),
    /// None; the path has to tell.
    Nothing,
}

/// The answers to the registry's questions. Each is a read of a few rows, or of what is remembered of them.
#[derive(Clone)]
pub(crate) struct RegistryAccess {
    store: Store,
    world: World,
    identity: Arc<dyn Identity>,
    /// Without a port, in lower case.
    suffix: Arc<str>,
    pub(crate) standing: Standing,
    pub(crate) domains: Domains,
    throttle: Arc<LoginThrottle>,
}

impl RegistryAccess {
    pub(crate) fn new(store: Store, world: World, identity: Arc<dyn Identity>, suffix: &str) -> Self {
        Self {
            store,
            world,
            identity,
            suffix: without_port(suffix).to_ascii_lowercase().into(),
            standing: Standing::default(),
            domains: Domains::default(),
            throttle: Arc::default(),
        }
    }

    fn now(&self) -> Moment {
        self.world.now().into()
    }

    /// The instance's name in a host such as `demo.cr.localhost:5000`; `None` for a host of another form.
    fn instance_name(&self, host: &str) -> Option<String> {
        let host = without_port(host).to_ascii_lowercase();
        [&*self.suffix, PLATFORM_SUFFIX].into_iter().find_map(|suffix| {
            let label = host.strip_suffix(suffix)?.strip_suffix('.')?;
            (!label.is_empty() && !label.contains('.')).then(|| label.to_owned())
        })
    }

    fn find_by_name(&self, name: &str) -> Result<Option<Arc<Instance>>, StoreError> {
        let found = self.known(Key::Instance(name), |view| {
            let found = instances::find_by_name(view, name)?;
            Ok(found.map(|instance| Known::Instance(Arc::new(instance))))
        })?;
        Ok(match found {
            Some(Known::Instance(instance)) => Some(instance),
            _ => None,
        })
    }

    /// What a host alone names: an instance by its own form, else by a custom domain.
    fn find_by_host(&self, host: &str) -> Result<Named, StoreError> {
        if let Some(name) = self.instance_name(host) {
            return self.find_by_name(&name).map(Named::Instance);
        }
        match self.domains.instance(&without_port(host).to_ascii_lowercase()) {
            Some(id) => {
                let found = self.store.read(|view| instances::find(view, &id))?;
                Ok(Named::Instance(found.map(Arc::new)))
            }
            None => Ok(Named::Nothing),
        }
    }

    fn find_token(
        &self,
        registry: Option<&RegistryId>,
        username: &str,
        password: &str,
    ) -> Result<Option<Subject>, Error> {
        let registry = registry.map(RegistryId::as_str);
        self.store.read(|view| tokens::log_in(view, registry, username, password, self.now()))
    }

    /// Hashing takes its time, so a password that was right is remembered in memory.
    async fn find_account(
        &self,
        registry: Option<&RegistryId>,
        name: &str,
        password: &str,
    ) -> Result<Option<Subject>, Error> {
        let (registry, now) = (registry.map(RegistryId::as_str), self.now());
        let candidates = self.store.read(|view| service_accounts::candidates(view, registry, name))?;
        for (instance, row) in candidates.into_iter().filter(|(_, row)| row.is_good(now)) {
            let key = Key::Password(&instance, name);
            let since = match self.standing.look(key) {
                Ok(Known::Password(proof)) if proof == row.password.proof(password) => {
                    return Ok(Some(service_accounts::subject(&instance, name)));
                }
                Ok(_) => None,
                Err(since) => Some(since),
            };
            let (hash, tried) = (row.password.clone(), password.to_owned());
            if tokio::task::spawn_blocking(move || hash.is_of(&tried)).await? {
                if let Some(since) = since {
                    self.standing.keep(since, key, Known::Password(row.password.proof(password)));
                }
                return Ok(Some(service_accounts::subject(&instance, name)));
            }
        }
        Ok(None)
    }

    async fn log_in(
        &self,
        registry: Option<&RegistryId>,
        username: &str,
        password: &str,
    ) -> Result<Option<Subject>, AccessError> {
        let place = registry.map_or_else(String::new, |registry| registry.as_str().to_owned());
        let name = (place, username.to_owned());
        if let Err(seconds) = self.throttle.admits(&name, self.now()) {
            return Err(AccessError::Denied(format!(
                "too many failed logins of {username}; try again in {seconds} s"
            )));
        }
        let found = match username.strip_prefix(service_accounts::PREFIX) {
            Some(account) => self.find_account(registry, account, password).await,
            None => self.find_token(registry, username, password),
        };
        let found = found.map_err(undecided)?;
        match &found {
            Some(_) => self.throttle.succeeded(&name),
            None => self.throttle.failed(name, self.now()),
        }
        Ok(found)
    }

    /// What is known of `key`, else what `read` finds, which is remembered. `None` where it finds nothing.
    fn known(
        &self,
        key: Key<'_>,
        read: impl FnOnce(&View<'_>) -> Result<Option<Known>, StoreError>,
    ) -> Result<Option<Known>, StoreError> {
        let since = match self.standing.look(key) {
            Ok(known) => return Ok(Some(known)),
            Err(since) => since,
        };
        let found = self.store.read(read)?;
        if let Some(known) = &found {
            self.standing.keep(since, key, known.clone());
        }
        Ok(found)
    }

    /// Which of the actions a subject holds now: with a token of the instance, what policies allow who made it; as an account of it, what
    /// its permissions say; and pulling where everybody may.
    fn held(
        &self,
        subject: Option<&Subject>,
        repository: &Repository,
        asked: Actions,
        peer: IpAddr,
    ) -> Result<Actions, StoreError> {
        // Every repository is in a namespace: a name of one component is none of an instance.
        let Some((namespace, _)) = repository.name().split_once('/') else { return Ok(Actions::NONE) };
        let id = repository.registry().as_str();
        let key = Key::Namespace(id, namespace);
        let found = self.known(key, |view| {
            let Some(instance) = instances::find(view, id)? else { return Ok(None) };
            let row = namespaces::find(view, &instance, namespace)?;
            Ok(row.map(|row| {
                let open = row.public && instance.row.enable_anonymous;
                Known::Namespace { open, scope: Arc::new(instance.scope) }
            }))
        })?;
        let Some(Known::Namespace { open, scope }) = found else { return Ok(Actions::NONE) };
        let of_everybody = if open { asked & Actions::PULL } else { Actions::NONE };
        let Some(subject) = subject else { return Ok(of_everybody) };
        if let Some((instance, account)) = service_accounts::of_subject(subject) {
            let own =
                if instance == id { self.account_holds(id, account, namespace)? } else { Actions::NONE };
            return Ok(of_everybody | (own & asked));
        }
        if !self.token_stands(subject, id)? {
            return Ok(of_everybody);
        }
        let Some(caller) = self.caller_of(subject, scope.uin) else { return Ok(of_everybody) };
        Ok(of_everybody | self.permitted(&caller, &scope.region, repository, asked, peer))
    }

    /// Who made the subject's token. What a text says never changes, so reading it once is enough.
    fn caller_of(&self, subject: &Subject, owner: u64) -> Option<Arc<Caller>> {
        let text = tokens::caller_text(subject)?;
        let key = Key::Caller(text);
        let since = match self.standing.look(key) {
            Ok(Known::Caller(caller)) if caller.account.uin == owner => return Some(caller),
            Ok(_) => None,
            Err(since) => Some(since),
        };
        let caller = Arc::new(tokens::read_caller(text, owner)?);
        if let Some(since) = since.filter(|_| text.len() <= REMEMBERED_CALLER) {
            self.standing.keep(since, key, Known::Caller(Arc::clone(&caller)));
        }
        Some(caller)
    }

    fn account_holds(&self, id: &str, account: &str, namespace: &str) -> Result<Actions, StoreError> {
        let found = self.known(Key::Account(id, account), |view| {
            let Some(instance) = instances::find(view, id)? else { return Ok(None) };
            let row = view.get::<ServiceAccounts>(&instance.scope, &(id, account))?;
            Ok(row.map(|row| Known::Account(Arc::new(row))))
        })?;
        match found {
            Some(Known::Account(row)) if row.is_good(self.now()) => Ok(row.actions(namespace)),
            _ => Ok(Actions::NONE),
        }
    }

    fn token_stands(&self, subject: &Subject, id: &str) -> Result<bool, StoreError> {
        let Some(presented) = tokens::presented(subject) else { return Ok(false) };
        if presented.instance != id || !presented.is_timely(self.now()) {
            return Ok(false);
        }
        let Some(token) = presented.token else { return Ok(true) };
        let found = self.known(Key::Token(id, token), |view| {
            let Some(instance) = instances::find(view, id)? else { return Ok(None) };
            Ok(tokens::good_until(view, &instance.scope, id, token)?.map(Known::Token))
        })?;
        Ok(matches!(found, Some(Known::Token(end)) if self.now() < end))
    }

    fn grant_now(
        &self,
        subject: Option<&Subject>,
        repository: &Repository,
        asked: Actions,
        peer: IpAddr,
    ) -> Result<Actions, AccessError> {
        let now = self.now();
        let runs = self.store.read(|view| {
            let instance = instances::find(view, repository.registry().as_str())?;
            Ok::<_, StoreError>(instance.is_some_and(|instance| instance.row.status(now) == Status::Running))
        });
        if !runs.map_err(AccessError::undecided)? {
            return Ok(Actions::NONE);
        }
        self.held(subject, repository, asked, peer).map_err(AccessError::undecided)
    }

    /// Which of the actions the caller's policies allow on the repository.
    fn permitted(
        &self,
        caller: &Caller,
        region: &str,
        repository: &Repository,
        asked: Actions,
        peer: IpAddr,
    ) -> Actions {
        // The root in its own account, without a session that could narrow it: no policy speaks of it, so there is nothing to ask.
        if caller.principal == Principal::Root && caller.session.is_none() {
            return asked;
        }
        let circumstances = Circumstances { source: peer, now: self.world.now(), secure: None };
        let path = format!("repository/{}/{}", repository.registry(), repository.name());
        let resources = [Resource::named(path).qualified("tcr", region, caller)];
        OPERATIONS.into_iter().filter(|(action, _)| asked.contains(*action)).fold(
            Actions::NONE,
            |permitted, (action, operation)| {
                let question = Question {
                    operation,
                    resources: &resources,
                    resource_tags: &[],
                    request_tags: &[],
                    circumstances,
                };
                match self.identity.decide(caller, &question) {
                    Decision::Allowed(_) => permitted | action,
                    Decision::Denied { resource, reason } => {
                        tracing::info!(operation, resource, reason, "the registry refuses");
                        permitted
                    }
                }
            },
        )
    }
}

fn undecided(error: Error) -> AccessError {
    AccessError::undecided(error)
}

fn located(instance: &Instance, now: Moment) -> Result<RegistryId, AccessError> {
    match instance.row.status(now) {
        Status::Running => Ok(RegistryId::new(instance.id.as_str())),
        status => Err(AccessError::Denied(format!("the instance is {}, not Running", status.name()))),
    }
}

/// Whether a host is the domain of the instances' hosts, or below it or the platform's.
pub(crate) fn is_under(host: &str, suffix: &str) -> bool {
    let suffix = without_port(suffix).to_ascii_lowercase();
    [suffix.as_str(), PLATFORM_SUFFIX]
        .into_iter()
        .any(|suffix| host.strip_suffix(suffix).is_some_and(|label| label.is_empty() || label.ends_with('.')))
}

/// The host of `host:port`; an IPv6 address in brackets keeps its colons.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

impl Access for RegistryAccess {
    /// By host where the host names an instance, else by the first segment of the path. A host of the right form with an unknown
    /// instance is an unknown registry, whatever the path says.
    fn locate(&self, host: &str, name: &str) -> Result<Option<Located>, AccessError> {
        let (found, rest, prefix) = match self.find_by_host(host).map_err(AccessError::undecided)? {
            Named::Instance(found) => (found, name, None),
            Named::Nothing => match name.split_once('/') {
                Some((first, rest)) => {
                    let found = self.find_by_name(first).map_err(AccessError::undecided)?;
                    (found, rest, Some(first.to_owned()))
                }
                None => return Ok(None),
            },
        };
        let Some(instance) = found else { return Ok(None) };
        let registry = located(&instance, self.now())?;
        Ok(Repository::new(registry, rest).ok().map(|repository| Located { repository, prefix }))
    }

    fn locate_host(&self, host: &str) -> Option<RegistryId> {
        match self.find_by_host(host) {
            Ok(Named::Nothing) => None,
            Ok(Named::Instance(found)) => found.and_then(|instance| located(&instance, self.now()).ok()),
            Err(error) => {
                tracing::error!(host, %error, "an instance cannot be looked up");
                None
            }
        }
    }

    fn admits(&self, registry: &RegistryId, peer: IpAddr) -> Result<bool, AccessError> {
        let id = registry.as_str();
        let found = self.known(Key::Endpoint(id), |view| {
            let Some(instance) = instances::find(view, id)? else { return Ok(None) };
            Ok(Some(Known::Endpoint(Arc::new(external_endpoint::find(view, &instance)?))))
        });
        match found.map_err(AccessError::undecided)? {
            Some(Known::Endpoint(endpoint)) => Ok(endpoint.admits(peer)),
            _ => Ok(false),
        }
    }

    fn stands(
        &self,
        subject: Option<&Subject>,
        repository: &Repository,
        actions: Actions,
        peer: IpAddr,
    ) -> Result<bool, AccessError> {
        let held = self.held(subject, repository, actions, peer).map_err(AccessError::undecided)?;
        Ok(held.contains(actions))
    }

    fn authenticate(
        &self,
        registry: Option<&RegistryId>,
        username: &str,
        password: &str,
    ) -> BoxFuture<'_, Result<Option<Subject>, AccessError>> {
        let (registry, username, password) = (registry.cloned(), username.to_owned(), password.to_owned());
        async move { self.log_in(registry.as_ref(), &username, &password).await }.boxed()
    }

    /// Whoever holds a token of the instance may do in its namespaces what the policies of who made the token allow, an account what
    /// its permissions say; everybody may pull from the public ones.
    fn grant(
        &self,
        subject: Option<&Subject>,
        repository: &Repository,
        asked: Actions,
        peer: IpAddr,
    ) -> BoxFuture<'_, Result<Actions, AccessError>> {
        std::future::ready(self.grant_now(subject, repository, asked, peer)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use rookery_gateway::{Credential, CredentialError};
    use time::OffsetDateTime;

    use super::*;

    struct Nobody;

    impl Identity for Nobody {
        fn credential(&self, _: &str, _: Option<&str>) -> Result<Credential, CredentialError> {
            Err(CredentialError::NotFound)
        }

        fn decide(&self, _: &Caller, question: &Question<'_>) -> Decision {
            Decision::Denied { resource: question.resources.concat(), reason: "nobody".to_owned() }
        }
    }

    fn access(suffix: &str) -> RegistryAccess {
        let world = World::pinned(OffsetDateTime::UNIX_EPOCH, 1);
        RegistryAccess::new(Store::in_memory(), world, Arc::new(Nobody), suffix)
    }

    #[test]
    fn hosts_name_instances() {
        let access = access("cr.localhost:5000");
        for host in [
            "demo1.cr.localhost",
            "demo1.cr.localhost:8080",
            "DEMO1.CR.Localhost",
            "demo1.tencentcloudcr.com",
        ] {
            assert_eq!(access.instance_name(host).as_deref(), Some("demo1"), "{host}");
        }
        for host in [
            "cr.localhost",
            ".cr.localhost",
            "a.demo1.cr.localhost",
            "127.0.0.1:5000",
            "[::1]:5000",
            "xcr.localhost",
            "",
        ] {
            assert_eq!(access.instance_name(host), None, "{host}");
        }
    }

    #[test]
    fn a_remembered_caller_is_of_its_own_account() {
        let access = access("cr.localhost");
        let attributes = [("caller".to_owned(), r#"{"principal":"root"}"#.to_owned())].into();
        let subject = Subject { id: "7".to_owned(), attributes };
        for owner in [7, 8, 7, 8] {
            let caller = access.caller_of(&subject, owner).unwrap();
            assert_eq!((caller.account.uin, &caller.principal), (owner, &Principal::Root));
        }
        assert!(access.caller_of(&Subject::new("7"), 7).is_none());
    }
}
