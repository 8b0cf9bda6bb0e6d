//! What happened to each request, kept in memory for a while and readable by RequestId.
//!
//! A record holds no secret: no key, no token, no parameter value. What the server computed over a refused signature is in it,
//! because the one who signed already knows every part of it but not which part differs.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use serde::Serialize;

use crate::call::RequestId;
use crate::caller::Computed;
use crate::permission::Asked;

/// One request.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct Record {
    /// The id that the client was told.
    pub request_id: String,
    /// When it arrived, RFC 3339 in UTC.
    pub received_at: String,
    /// Where it came from.
    pub peer: String,
    /// GET or POST.
    pub method: String,
    /// `Host` as received.
    pub host: String,
    /// Path of the target; the query holds parameters and is not kept.
    pub path: String,
    /// Which client, by its own word.
    pub client: Option<String>,
    /// `v3` or `v1`.
    pub signature: Option<&'static str>,
    /// The product.
    pub product: Option<&'static str>,
    /// The API version asked for.
    pub version: Option<String>,
    /// The action asked for.
    pub action: Option<String>,
    /// The region of the call.
    pub region: Option<String>,
    /// The SecretId whose signature verified.
    pub secret_id: Option<String>,
    /// The account of the caller.
    pub account: Option<u64>,
    /// The reading of the bytes under which the signature verified.
    pub reading: Option<String>,
    /// The permission asked for and what decided it.
    pub permission: Option<Asked>,
    /// The error that the client was told.
    pub error: Option<TracedError>,
    /// What the server computed over a signature that it refused.
    pub computed: Option<Computed>,
    /// How long it took, in microseconds.
    pub duration_micros: u64,
}

/// An error as the trace keeps it.
#[derive(Clone, Debug, Serialize)]
pub struct TracedError {
    /// The code.
    pub code: &'static str,
    /// The words.
    pub message: String,
    /// What the client was not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal: Option<String>,
}

/// The last requests.
#[derive(Debug)]
pub struct Traces {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    order: VecDeque<RequestId>,
    records: HashMap<RequestId, Box<Record>>,
}

impl Traces {
    /// Room for `capacity` records; the oldest make way.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, kept: Mutex::default() }
    }

    /// Keeps a record.
    pub fn keep(&self, id: RequestId, record: Box<Record>) {
        if self.capacity == 0 {
            return;
        }
        let mut kept = self.kept.lock();
        if kept.order.len() >= self.capacity
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.records.remove(&oldest);
        }
        kept.order.push_back(id);
        kept.records.insert(id, record);
    }

    /// The record of a request.
    #[must_use]
    pub fn find(&self, id: RequestId) -> Option<Record> {
        self.kept.lock().records.get(&id).map(|record| (**record).clone())
    }

    /// The newest records, newest first.
    #[must_use]
    pub fn latest(&self, count: usize) -> Vec<Record> {
        let kept = self.kept.lock();
        kept.order
            .iter()
            .rev()
            .take(count)
            .filter_map(|id| kept.records.get(id))
            .map(|r| (**r).clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_way() {
        let traces = Traces::new(2);
        let ids: Vec<_> = (0..3).map(|n| RequestId(uuid::Uuid::from_u128(n))).collect();
        for id in &ids {
            traces.keep(*id, Box::new(Record { request_id: id.to_string(), ..Record::default() }));
        }
        assert!(traces.find(ids[0]).is_none());
        assert!(traces.find(ids[1]).is_some());
        let latest: Vec<_> = traces.latest(10).into_iter().map(|record| record.request_id).collect();
        assert_eq!(latest, [ids[2].to_string(), ids[1].to_string()]);
    }
}
