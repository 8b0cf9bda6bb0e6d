//! `/v2/_catalog`

use http::header::{AUTHORIZATION, LINK};
use http::{Method, StatusCode};

use super::reply::{json, put};
use super::{Answer, Arrival, only};
use crate::Registry;
use crate::access::Actions;
use crate::authorization::{Caller, Stranger};
use crate::challenge::{Scope, Why};
use crate::errors::Error;
use crate::names::RegistryId;

/// Repositories on one page at most, also without `n`.
const PAGE: usize = 1000;

/// Repositories looked at in one snapshot.
const BATCH: usize = 200;

impl Registry {
    /// Lists the repositories that the caller may pull from, of the registry that the host names.
    pub(super) async fn serve_catalog(&self, arrival: &Arrival) -> Answer {
        only(&arrival.method, &[Method::GET, Method::HEAD], "GET, HEAD")?;
        let registry = self.inner.access.locate_host(&arrival.host).ok_or(Error::NameUnknown)?;
        self.admit(&registry, arrival.peer)?;
        let caller = self.caller(Some(&registry), arrival.headers.get(AUTHORIZATION)).await;
        let caller = caller.map_err(|stranger| self.turn_away(arrival, &Scope::Catalog, stranger))?;
        if let Caller::Bearer(claims) = &caller
            && !claims.may_list(&registry)
        {
            let stranger = Stranger::Challenged(Why::InsufficientScope);
            return Err(self.turn_away(arrival, &Scope::Catalog, stranger));
        }
        let length = arrival.query.page_length()?.unwrap_or(PAGE).min(PAGE);
        let mut names = self.readable(&registry, &caller, arrival, length + 1).await?;
        let more = names.len() > length;
        names.truncate(length);
        let mut response = json(StatusCode::OK, &serde_json::json!({"repositories": names}));
        if let (true, Some(last)) = (more, names.last()) {
            put(&mut response, LINK, &format!("</v2/_catalog?n={length}&last={last}>; rel=\"next\""));
        }
        Ok(response)
    }

    /// At most `limit` names after the request's `last` of repositories that the caller may pull from now.
    async fn readable(
        &self,
        registry: &RegistryId,
        caller: &Caller,
        arrival: &Arrival,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let (mut names, mut last) = (Vec::new(), arrival.query.first("last").map(str::to_owned));
        loop {
            let batch = self.repositories(registry, None, last.as_deref(), BATCH)?;
            let Some(end) = batch.last() else { return Ok(names) };
            last = Some(end.repository.name().to_owned());
            for entry in batch {
                if names.len() == limit {
                    return Ok(names);
                }
                if self.granted(caller.subject(), &entry.repository, Actions::PULL, arrival.peer).await? {
                    names.push(entry.repository.name().to_owned());
                }
            }
        }
    }
}
