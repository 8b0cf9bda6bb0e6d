//! `/v2/<name>/tags/list`

use http::StatusCode;
use http::header::LINK;

use super::reply::{json, put};
use super::{Admitted, Answer, location};
use crate::Registry;
use crate::errors::Error;

/// Tags on one page at most, also without `n`: clients that do not follow links see all of any usual repository.
const PAGE: usize = 10_000;

impl Registry {
    pub(super) fn list_tags(&self, request: &Admitted) -> Answer {
        let length = request.arrival.query.page_length()?.unwrap_or(PAGE).min(PAGE);
        let last = request.arrival.query.first("last");
        // One more than the page tells whether there is a next one.
        let names = self.tag_names(&request.repository, last, length + 1)?;
        let mut names = names.ok_or(Error::NameUnknown)?;
        let more = names.len() > length;
        names.truncate(length);
        let mut response = json(StatusCode::OK, &serde_json::json!({"name": request.seen, "tags": names}));
        // A page of no tags has no last one to go on from.
        if let (true, Some(last)) = (more, names.last()) {
            let next = location(&request.seen, &format!("tags/list?n={length}&last={last}"));
            put(&mut response, LINK, &format!("<{next}>; rel=\"next\""));
        }
        Ok(response)
    }
}
