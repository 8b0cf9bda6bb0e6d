//! What happened to each request, kept in memory for a while and readable by RequestId.
//!
//! A record holds no secret: no key, no token, no signature, and parameters only with their secrets masked ([`crate::masking`]). What the
//! server computed over a refused signature is in it, because the one who signed already knows every part of it but not which differs.
//! The times, ids and addresses of a record become text when it is read, which few records ever are.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use parking_lot::Mutex;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::call::RequestId;
use crate::caller::Computed;
use crate::diagnosis::LikelyCause;
use crate::masking::Masked;
use crate::permission::Asked;

/// One request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct Record {
    /// The id that the client was told.
    #[serde(serialize_with = "displayed")]
    pub request_id: RequestId,
    /// When it arrived, RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339")]
    pub received_at: OffsetDateTime,
    /// Where it came from.
    pub peer: SocketAddr,
    /// GET or POST.
    #[serde(serialize_with = "method")]
    pub method: Method,
    /// `Host` as received.
    pub host: String,
    /// Path of the target; the query holds parameters and is not kept.
    pub path: Cow<'static, str>,
    /// Which client, by its own word in `X-TC-RequestClient` or `RequestClient`.
    pub client: Option<String>,
    /// Which HTTP client, by its own word in `User-Agent`.
    pub user_agent: Option<String>,
    /// `v3` or `v1`.
    pub signature: Option<&'static str>,
    /// The product.
    pub product: Option<&'static str>,
    /// The API version asked for.
    pub version: Option<Cow<'static, str>>,
    /// The action asked for.
    pub action: Option<Cow<'static, str>>,
    /// The region of the call.
    pub region: Option<&'static str>,
    /// The region of the gateway that the address names.
    pub access_region: Option<&'static str>,
    /// The SecretId whose signature verified.
    pub secret_id: Option<String>,
    /// The account of the caller.
    pub account: Option<u64>,
    /// The identity within the account: the account's own number for its root.
    pub principal: Option<u64>,
    /// The reading of the bytes under which the signature verified.
    pub reading: Option<&'static str>,
    /// The parameters of the action, once they have passed its shape, with their secrets masked.
    pub parameters: Option<Masked>,
    /// What was sent and read by nothing: members of the action's request, and parts of the message.
    pub never_read: Vec<Cow<'static, str>>,
    /// The permission asked for and what decided it.
    pub permission: Option<Asked>,
    /// The error that the client was told.
    pub error: Option<Box<TracedError>>,
    /// What the server computed over a signature that it refused.
    pub computed: Option<Box<Computed>>,
    /// The mistake that explains the refusal of a signature.
    pub likely_cause: Option<Box<LikelyCause>>,
    /// Bytes of the reply's body.
    pub reply_bytes: usize,
    /// How long it took, in microseconds.
    pub duration_micros: u64,
}

impl Record {
    /// The record of a request that has just arrived.
    #[must_use]
    pub fn new(request_id: RequestId, received_at: OffsetDateTime, peer: SocketAddr) -> Self {
        Self {
            request_id,
            received_at,
            peer,
            method: Method::default(),
            host: String::new(),
            path: Cow::Borrowed("/"),
            client: None,
            user_agent: None,
            signature: None,
            product: None,
            version: None,
            action: None,
            region: None,
            access_region: None,
            secret_id: None,
            account: None,
            principal: None,
            reading: None,
            parameters: None,
            never_read: Vec::new(),
            permission: None,
            error: None,
            computed: None,
            likely_cause: None,
            reply_bytes: 0,
            duration_micros: 0,
        }
    }
}

fn method<S: Serializer>(method: &Method, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(method.as_str())
}

fn displayed<S: Serializer>(id: &RequestId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

fn rfc3339<S: Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.format(&Rfc3339).unwrap_or_default())
}

/// An error as the trace keeps it.
#[derive(Clone, Debug, Serialize)]
pub struct TracedError {
    /// The code.
    pub code: &'static str,
    /// The words.
    pub message: String,
    /// What is wrong with the request, more exactly than the client's words say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What went wrong inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal: Option<String>,
}

/// The last requests: a ring of places, each with a lock of its own, so that requests do not wait for each other to leave their records.
/// Records are looked for one place after the other, for few are ever read.
#[derive(Debug)]
pub struct Traces {
    /// How many records were ever kept; the next one's place follows from it.
    count: AtomicUsize,
    ring: Box<[Place]>,
}

type Place = Mutex<Option<Box<Record>>>;

impl Traces {
    /// Room for `capacity` records; the oldest make way.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { count: AtomicUsize::new(0), ring: (0..capacity).map(|_| Place::default()).collect() }
    }

    /// Keeps a record.
    pub fn keep(&self, record: Box<Record>) {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let place = count.checked_rem(self.ring.len()).and_then(|at| self.ring.get(at));
        // What makes way is dropped after the lock is free.
        let _oldest = place.and_then(|place| place.lock().replace(record));
    }

    /// The record of a request.
    #[must_use]
    pub fn find(&self, id: RequestId) -> Option<Record> {
        self.ring.iter().find_map(|place| {
            let kept = place.lock();
            kept.as_ref().filter(|record| record.request_id == id).map(|record| (**record).clone())
        })
    }

    /// The newest records, newest first.
    #[must_use]
    pub fn latest(&self, count: usize) -> Vec<Record> {
        let Some(newest) = self.count.load(Ordering::Relaxed).checked_sub(1) else { return Vec::new() };
        let length = self.ring.len();
        let places = (0..length).map(|back| (newest % length + length - back) % length);
        let records = places.filter_map(|at| self.ring.get(at)?.lock().as_deref().cloned());
        records.take(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_without_room_keeps_nothing() {
        let traces = Traces::new(0);
        let id = RequestId(uuid::Uuid::nil());
        assert!(traces.latest(1).is_empty());
        traces.keep(Box::new(Record::new(id, OffsetDateTime::UNIX_EPOCH, ([127, 0, 0, 1], 1).into())));
        assert!(traces.find(id).is_none() && traces.latest(1).is_empty());
    }

    #[test]
    fn the_oldest_make_way() {
        let traces = Traces::new(2);
        let ids: Vec<_> = (0..3).map(|n| RequestId(uuid::Uuid::from_u128(n))).collect();
        for id in &ids {
            traces.keep(Box::new(Record::new(*id, OffsetDateTime::UNIX_EPOCH, ([127, 0, 0, 1], 1).into())));
        }
        assert!(traces.find(ids[0]).is_none());
        assert!(traces.find(ids[1]).is_some());
        let latest: Vec<_> = traces.latest(10).into_iter().map(|record| record.request_id).collect();
        assert_eq!(latest, [ids[2], ids[1]]);
        assert_eq!(traces.latest(1).len(), 1);
    }
}
