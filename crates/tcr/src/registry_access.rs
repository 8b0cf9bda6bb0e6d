//! Who may do what in the registry: which instance an address means, who a login is, and what it may touch.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rookery_gateway::{Caller, Circumstances, Decision, Identity, Question, Resource};
use rookery_registry::{Access, AccessError, Actions, Located, RegistryId, Repository, Subject};
use rookery_store::{Store, StoreError};
use rookery_world::World;

use crate::error::Error;
use crate::instances::{self, Instance, Status};
use crate::moments::Moment;
use crate::namespaces;
use crate::tokens;

/// The platform's own domain, for clients whose names are made to resolve here.
const PLATFORM_SUFFIX: &str = "tencentcloudcr.com";

/// What the registry's actions are to policies (`tcr.md` §1.23). Deleting by the registry is the deletion of an image by the API.
const OPERATIONS: [(Actions, &str); 3] = [
    (Actions::PULL, "tcr:PullRepository"),
    (Actions::PUSH, "tcr:PushRepository"),
    (Actions::DELETE, "tcr:DeleteImage"),
];

/// The answers to the registry's questions. Each is a read of a few rows.
#[derive(Clone)]
pub(crate) struct RegistryAccess {
    store: Store,
    world: World,
    identity: Arc<dyn Identity>,
    /// Without a port, in lower case.
    suffix: Arc<str>,
}

impl RegistryAccess {
    pub(crate) fn new(store: Store, world: World, identity: Arc<dyn Identity>, suffix: &str) -> Self {
        Self { store, world, identity, suffix: without_port(suffix).to_ascii_lowercase().into() }
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

    fn find_by_name(&self, name: &str) -> Result<Option<Instance>, StoreError> {
        self.store.read(|view| instances::find_by_name(view, name))
    }

    fn authenticate_now(
        &self,
        registry: Option<&RegistryId>,
        username: &str,
        password: &str,
    ) -> Result<Option<Subject>, AccessError> {
        let registry = registry.map(RegistryId::as_str);
        self.store
            .read(|view| tokens::log_in(view, registry, username, password, self.now()))
            .map_err(undecided)
    }

    fn grant_now(
        &self,
        subject: Option<&Subject>,
        repository: &Repository,
        asked: Actions,
        peer: IpAddr,
    ) -> Result<Actions, AccessError> {
        let now = self.now();
        let standing = self
            .store
            .read(|view| {
                let none = Ok::<_, Error>(Standing::default());
                // Every repository is in a namespace: a name of one component is none of an instance.
                let Some((namespace, _)) = repository.name().split_once('/') else { return none };
                let Some(instance) = instances::find(view, repository.registry().as_str())? else {
                    return none;
                };
                if instance.row.status(now) != Status::Running {
                    return none;
                }
                let Some(namespace) = namespaces::find(view, &instance, namespace)? else { return none };
                let login = match subject {
                    Some(subject) if tokens::still_holds(view, subject, &instance, now)? => {
                        tokens::caller_of(subject, &instance)
                    }
                    _ => None,
                };
                let public = namespace.public && instance.row.enable_anonymous;
                let region = instance.scope.region.clone();
                Ok(Standing { public, login: login.map(|caller| (caller, region)) })
            })
            .map_err(undecided)?;
        // Outside the snapshot: the identity reads rows of its own.
        let public = if standing.public { asked & Actions::PULL } else { Actions::NONE };
        let Some((caller, region)) = standing.login else { return Ok(public) };
        let circumstances = Circumstances { source: peer, now: self.world.now(), secure: None };
        Ok(public | self.permitted(&caller, &region, repository, asked, circumstances))
    }

    /// Which of the actions the caller's policies allow on the repository.
    fn permitted(
        &self,
        caller: &Caller,
        region: &str,
        repository: &Repository,
        asked: Actions,
        circumstances: Circumstances,
    ) -> Actions {
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

/// Where a login stands with a repository, as far as the product's own rows say.
#[derive(Default)]
struct Standing {
    /// Everybody may pull.
    public: bool,
    /// Who logged in, with the region of the instance.
    login: Option<(Caller, String)>,
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
        let (instance_name, rest, prefix) = match self.instance_name(host) {
            Some(instance_name) => (instance_name, name, None),
            None => match name.split_once('/') {
                Some((first, rest)) => (first.to_owned(), rest, Some(first.to_owned())),
                None => return Ok(None),
            },
        };
        let found = self.find_by_name(&instance_name).map_err(AccessError::undecided)?;
        let Some(instance) = found else { return Ok(None) };
        let registry = located(&instance, self.now())?;
        Ok(Repository::new(registry, rest).ok().map(|repository| Located { repository, prefix }))
    }

    fn locate_host(&self, host: &str) -> Option<RegistryId> {
        let name = self.instance_name(host)?;
        match self.find_by_name(&name) {
            Ok(found) => found.and_then(|instance| located(&instance, self.now()).ok()),
            Err(error) => {
                tracing::error!(host, %error, "an instance cannot be looked up");
                None
            }
        }
    }

    fn authenticate(
        &self,
        registry: Option<&RegistryId>,
        username: &str,
        password: &str,
    ) -> BoxFuture<'_, Result<Option<Subject>, AccessError>> {
        std::future::ready(self.authenticate_now(registry, username, password)).boxed()
    }

    /// Rights that policies give can be taken away; the root's cannot.
    fn asks_always(&self, subject: &Subject) -> bool {
        !tokens::is_of_root(subject)
    }

    /// Whoever holds a token of the instance may do in its namespaces what the policies of who made the token allow; everybody may pull
    /// from the public ones.
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
}
