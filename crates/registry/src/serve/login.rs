//! `/service/token`: a login and scopes in, a token with what the caller holds of them out.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderValue};
use http::{Method, StatusCode};
use time::format_description::well_known::Rfc3339;

use super::reply::{Failure, json};
use super::{Answer, Arrival, only, read_body};
use crate::Registry;
use crate::access::{Actions, Subject};
use crate::authorization::basic;
use crate::body::RequestBody;
use crate::errors::Error;
use crate::names::{RegistryId, Repository, is_repository_name};
use crate::query::Query;
use crate::token::{Grant, LIFETIME};

/// Bytes of the form of a POST.
const FORM_LIMIT: usize = 64 * 1024;

/// Repositories that one token can be asked for.
const SCOPE_LIMIT: usize = 200;

/// What is asked for.
#[derive(Default)]
struct Asked {
    repositories: Vec<(Repository, Actions)>,
    catalog: bool,
}

impl Registry {
    /// GET with `Basic` or without a login; POST with the form of OAuth 2 (`grant_type=password`).
    ///
    /// `account`, `client_id` and `offline_token` are hints that change nothing: the login says who asks, and there are no
    /// refresh tokens.
    pub(super) async fn issue_token(&self, arrival: &Arrival, body: RequestBody) -> Answer {
        only(&arrival.method, &[Method::GET, Method::POST], "GET, POST")?;
        let form;
        let (query, login) = if arrival.method == Method::POST {
            let bytes = read_body(body, &arrival.headers, FORM_LIMIT).await?.ok_or(Error::SizeInvalid)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| Error::ParameterInvalid("not UTF-8"))?;
            form = Query::parse(text, true)?;
            (&form, Some(password_grant(&form)?))
        } else {
            let given = arrival.headers.get(AUTHORIZATION);
            let login =
                given.map(|value| value.to_str().ok().and_then(basic).ok_or_else(|| self.wrong_login()));
            (&arrival.query, login.transpose()?)
        };
        if query.first("service").is_some_and(|service| service != self.inner.tokens.service()) {
            return Err(Error::ParameterInvalid("service").into());
        }
        let host = self.inner.access.locate_host(&arrival.host);
        if let Some(registry) = &host {
            self.admit(registry, arrival.peer)?;
        }
        let asked = self.asked(arrival, query)?;
        let subject = match login {
            None => None,
            Some((username, password)) => {
                let registry = host.as_ref().or_else(|| asked.agreed_registry());
                let found = self.inner.access.authenticate(registry, &username, &password).await;
                Some(found.map_err(Error::from)?.ok_or_else(|| self.wrong_login())?)
            }
        };
        let access = self.grants(host.as_ref(), asked, subject.as_ref(), arrival.peer).await?;
        self.token_reply(subject.as_ref(), access)
    }

    /// Reads the scopes. One that is malformed or names nothing here is left out: asking too much is not an error.
    fn asked(&self, arrival: &Arrival, query: &Query) -> Result<Asked, Error> {
        let mut asked = Asked::default();
        for scope in query.all("scope").flat_map(str::split_whitespace).take(SCOPE_LIMIT) {
            let Some((kind, rest)) = scope.split_once(':') else { continue };
            let Some((name, actions)) = rest.rsplit_once(':') else { continue };
            // A class in brackets may follow the type: `repository(plugin)`.
            match kind.split('(').next().unwrap_or_default() {
                "registry" => {
                    asked.catalog |= name == "catalog" && actions.split(',').any(|action| action == "*");
                }
                "repository" if is_repository_name(name) => {
                    let Some(located) = self.inner.access.locate(&arrival.host, name)? else { continue };
                    if self.inner.access.admits(located.repository.registry(), arrival.peer)? {
                        asked.add(located.repository, Actions::from_names(actions.split(',')));
                    }
                }
                _ => {}
            }
        }
        Ok(asked)
    }

    async fn grants(
        &self,
        host: Option<&RegistryId>,
        asked: Asked,
        subject: Option<&Subject>,
        peer: IpAddr,
    ) -> Result<Vec<Grant>, Error> {
        let mut grants = Vec::new();
        for (repository, actions) in asked.repositories {
            let granted = self.inner.access.grant(subject, &repository, actions, peer).await? & actions;
            if !granted.is_empty() {
                grants.push(Grant::repository(&repository, granted));
            }
        }
        // The list itself shows only what its reader may pull.
        if let (true, Some(registry), Some(_)) = (asked.catalog, host, subject) {
            grants.push(Grant::catalog(registry));
        }
        Ok(grants)
    }

    fn token_reply(&self, subject: Option<&Subject>, access: Vec<Grant>) -> Answer {
        let now = self.inner.world.now();
        let id = self.inner.world.uuid().to_string();
        let token =
            self.inner.tokens.issue(subject, access, now.unix_timestamp(), id).map_err(Error::from)?;
        // Whole seconds are what clients of all kinds parse.
        let issued_at = now.replace_nanosecond(0).ok().and_then(|now| now.format(&Rfc3339).ok());
        let reply = serde_json::json!({
            "token": token, "access_token": token, "expires_in": LIFETIME, "issued_at": issued_at,
        });
        let mut response = json(StatusCode::OK, &reply);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    fn wrong_login(&self) -> Failure {
        Failure::challenged(&format!("Basic realm=\"{}\"", self.inner.tokens.service()))
    }
}

impl Asked {
    fn add(&mut self, repository: Repository, actions: Actions) {
        match self.repositories.iter_mut().find(|(known, _)| *known == repository) {
            Some((_, known)) => *known = *known | actions,
            None => self.repositories.push((repository, actions)),
        }
    }

    /// The registry that every asked repository is in.
    fn agreed_registry(&self) -> Option<&RegistryId> {
        let (first, rest) = self.repositories.split_first()?;
        let registry = first.0.registry();
        rest.iter().all(|(repository, _)| repository.registry() == registry).then_some(registry)
    }
}

fn password_grant(form: &Query) -> Result<(String, String), Error> {
    if form.first("grant_type") != Some("password") {
        return Err(Error::ParameterInvalid("grant_type"));
    }
    let username = form.first("username").ok_or(Error::ParameterInvalid("username"))?;
    let password = form.first("password").ok_or(Error::ParameterInvalid("password"))?;
    Ok((username.to_owned(), password.to_owned()))
}
