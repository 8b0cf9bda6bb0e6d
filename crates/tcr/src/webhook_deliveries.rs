//! Telling events: a durable row for each, written in the transaction that makes the change, and sent in the background until the
//! receiver has taken it. A crash loses no event; it may repeat one that was under way.

use rookery_api::tcr::WebhookTriggerLog;
use rookery_registry::{Digest, Repository};
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::Duration;

use crate::instances::Instance;
use crate::moments::Moment;
use crate::namespaces;
use crate::numbers::{self, Kind};
use crate::repositories;
use crate::webhooks;

/// Tries of one delivery, as in the platform's ancestor.
pub(crate) const TRIES: u32 = 10;
/// The pause after the first failure; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::seconds(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::minutes(10);
/// Deliveries that an instance remembers.
const REMEMBERED: i64 = 10_000;

/// The deliveries of an instance, by number.
pub(crate) struct WebhookDeliveries;

/// What is kept of a delivery.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeliveryRow {
    pub(crate) trigger: i64,
    /// The place of the target among the trigger's.
    pub(crate) target: usize,
    pub(crate) event: String,
    /// What is sent, JSON.
    pub(crate) payload: String,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    pub(crate) failures: u32,
    /// `None` once it is over.
    pub(crate) next_try_at: Option<Moment>,
    pub(crate) delivered: bool,
}

impl Table for WebhookDeliveries {
    const NAME: &'static str = "tcr.webhook-deliveries";
    type Scope = Regional;
    type Key = (String, i64);
    type Row = DeliveryRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&DueDelivery, &DeliveriesOf];
}

/// The deliveries in the order in which they are due, in microseconds since 1970.
pub(crate) struct DueDelivery;

impl Index for DueDelivery {
    type Table = WebhookDeliveries;
    type Value = i64;
    const NAME: &'static str = "due";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &(String, i64), row: &DeliveryRow) -> Option<i64> {
        row.next_try_at.map(Moment::microseconds)
    }
}

/// The deliveries of a trigger, by instance and number.
pub(crate) struct DeliveriesOf;

impl Index for DeliveriesOf {
    type Table = WebhookDeliveries;
    type Value = (String, i64);
    const NAME: &'static str = "trigger";
    const UNIQUE: bool = false;

    fn value(_: &Regional, (instance, _): &(String, i64), row: &DeliveryRow) -> Option<Self::Value> {
        Some((instance.clone(), row.trigger))
    }
}

impl DeliveryRow {
    /// What became of a try at `now`.
    pub(crate) fn tried(&mut self, delivered: bool, now: Moment) {
        self.updated_at = now;
        self.delivered = delivered;
        if delivered {
            self.next_try_at = None;
            return;
        }
        self.failures = self.failures.saturating_add(1);
        self.next_try_at = (self.failures < TRIES).then(|| now.plus(pause_after(self.failures)));
    }

    /// `Status`.
    fn status(&self) -> &'static str {
        match (self.delivered, self.next_try_at, self.failures) {
            (true, ..) => "finished",
            (false, None, _) => "error",
            (false, Some(_), 0) => "pending",
            (false, Some(_), _) => "retrying",
        }
    }

    /// The delivery as replies show it.
    pub(crate) fn describe(&self, id: i64) -> WebhookTriggerLog {
        WebhookTriggerLog {
            id,
            trigger_id: self.trigger,
            event_type: self.event.clone(),
            notify_type: "http".to_owned(),
            detail: self.payload.clone(),
            creation_time: self.created_at.utc_with_fraction(),
            update_time: self.updated_at.utc_with_fraction(),
            status: self.status().to_owned(),
        }
    }
}

fn pause_after(failures: u32) -> Duration {
    (FIRST_PAUSE * (1_i32 << failures.saturating_sub(1).min(16))).min(LONGEST_PAUSE)
}

/// Something that happened to tags of one image.
pub(crate) struct Event<'a> {
    pub(crate) name: &'static str,
    pub(crate) repository: &'a Repository,
    pub(crate) digest: &'a Digest,
    pub(crate) tags: Vec<&'a str>,
    /// Empty for an anonymous client, and for the cloud itself.
    pub(crate) operator: &'a str,
    pub(crate) at: Moment,
}

/// In the transaction of the change: a delivery for each target of each trigger that tells of the event.
pub(crate) fn enqueue(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    suffix: &str,
    event: &Event<'_>,
) -> Result<(), StoreError> {
    let Some((namespace, name)) = event.repository.name().split_once('/') else { return Ok(()) };
    for (trigger, row) in webhooks::list(tx, instance, Some(namespace))? {
        let meant: Vec<&str> =
            event.tags.iter().copied().filter(|tag| row.means(event.name, name, tag)).collect();
        if meant.is_empty() {
            continue;
        }
        let payload = payload(tx, instance, suffix, event, &meant)?;
        for target in 0..row.targets {
            let id = numbers::next(tx, instance, Kind::WebhookDelivery)?;
            let row = DeliveryRow {
                trigger,
                target,
                event: event.name.to_owned(),
                payload: payload.clone(),
                created_at: event.at,
                updated_at: event.at,
                failures: 0,
                next_try_at: Some(event.at),
                delivered: false,
            };
            tx.put::<WebhookDeliveries>(&instance.scope, &(instance.id.clone(), id), &row)?;
            forget(tx, instance, id - REMEMBERED)?;
        }
    }
    Ok(())
}

/// Forgets a delivery of long ago, unless it still waits.
fn forget(tx: &mut Transaction<'_>, instance: &Instance, id: i64) -> Result<(), StoreError> {
    let key = (instance.id.clone(), id);
    let old = tx.get::<WebhookDeliveries>(&instance.scope, &key)?;
    if old.is_some_and(|row| row.next_try_at.is_none()) {
        tx.delete::<WebhookDeliveries>(&instance.scope, &key)?;
    }
    Ok(())
}

/// What is sent; its members in the order of the platform's own.
fn payload(
    read: &impl Read,
    instance: &Instance,
    suffix: &str,
    event: &Event<'_>,
    tags: &[&str],
) -> Result<String, StoreError> {
    let (namespace, name) = event.repository.name().split_once('/').unwrap_or_default();
    let created = repositories::find(read, instance, event.repository.name())?;
    let created = created.map_or(event.at, |row| row.created_at).seconds();
    let public = namespaces::find(read, instance, namespace)?.is_some_and(|row| row.public);
    let (host, path) = (instance.row.public_domain(suffix), event.repository.name());
    let resource = |tag: &&str| {
        let (digest, tag, url) =
            (json!(event.digest.as_str()), json!(tag), json!(format!("{host}/{path}:{tag}")));
        format!(r#"{{"digest":{digest},"tag":{tag},"resource_url":{url}}}"#)
    };
    let resources: Vec<String> = tags.iter().map(resource).collect();
    let kind = if public { "public" } else { "private" };
    let [event_name, repository, space, full, operator] =
        [event.name, name, namespace, path, event.operator].map(|text| json!(text));
    Ok(format!(
        r#"{{"type":{event_name},"occur_at":{},"event_data":{{"resources":[{}],"repository":{{"date_created":{created},"name":{repository},"namespace":{space},"repo_full_name":{full},"repo_type":"{kind}"}}}},"operator":{operator}}}"#,
        event.at.seconds(),
        resources.join(",")
    ))
}

/// The deliveries of a namespace's triggers, or of one of them, the newest first.
pub(crate) fn list(
    read: &impl Read,
    instance: &Instance,
    triggers: &[i64],
) -> Result<Vec<(i64, DeliveryRow)>, StoreError> {
    let mut found = Vec::new();
    for trigger in triggers {
        let rows = read.find_all::<DeliveriesOf>(&(instance.id.clone(), *trigger), usize::MAX)?;
        found.extend(rows.into_iter().map(|(_, (_, id), row)| (id, row)));
    }
    found.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    Ok(found)
}

/// A delivery with its place.
pub(crate) type Due = (Regional, (String, i64), DeliveryRow);

/// At most `limit` deliveries that are due at `now`.
pub(crate) fn due(read: &impl Read, now: Moment, limit: usize) -> Result<Vec<Due>, StoreError> {
    let rows = read.scan_index::<DueDelivery>(Scan::all().limit(limit))?;
    Ok(rows.into_iter().filter(|(_, _, row)| row.next_try_at.is_some_and(|at| at <= now)).collect())
}

/// Forgets the deliveries of a trigger.
pub(crate) fn delete_of(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    trigger: i64,
) -> Result<(), StoreError> {
    for (_, key, _) in tx.find_all::<DeliveriesOf>(&(instance.id.clone(), trigger), usize::MAX)? {
        tx.delete::<WebhookDeliveries>(&instance.scope, &key)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn a_delivery_is_tried_ten_times_with_growing_pauses() {
        let start = Moment::from(OffsetDateTime::UNIX_EPOCH);
        let mut row = DeliveryRow {
            trigger: 1,
            target: 0,
            event: webhooks::PUSH.to_owned(),
            payload: String::new(),
            created_at: start,
            updated_at: start,
            failures: 0,
            next_try_at: Some(start),
            delivered: false,
        };
        assert_eq!(row.status(), "pending");
        let (mut now, mut pauses) = (start, Vec::new());
        while let Some(at) = row.next_try_at {
            pauses.push(at.seconds() - now.seconds());
            now = at;
            row.tried(false, now);
            assert!(matches!(row.status(), "retrying" | "error"));
        }
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256]);
        assert_eq!((row.status(), row.failures), ("error", TRIES));
        row.tried(true, now);
        assert_eq!((row.status(), row.next_try_at), ("finished", None));
    }
}
