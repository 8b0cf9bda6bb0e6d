//! Webhook triggers: which events of a namespace are told to whom (`tcr.md` §4).
//!
//! The events that happen here are `pushImage` (a tag is put), `deleteImage` (a tag goes, alone or with its image) and `pullImage` (a
//! manifest with a tag is fetched). The other names
//! that belong to the chart repository, the scanner and the quota of a project, which are not here and so never happen.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Uri};
use parking_lot::RwLock;
use rookery_api::tcr::{ErrorCode, Header, WebhookTarget, WebhookTrigger};
use rookery_seal::{Seal, Sealed};
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, Store, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::conditions::{CONDITION, Condition};
use crate::error::{Error, Rule};
use crate::instances::Instance;
use crate::webhook_deliveries;

/// The code of a namespace that is not there.
pub(crate) const NAMESPACE_MISSING: ErrorCode = ErrorCode::ResourceNotFoundTcrResourceNotFound;

pub(crate) const PUSH: &str = "pushImage";
pub(crate) const DELETE: &str = "deleteImage";
pub(crate) const PULL: &str = "pullImage";
/// The events that a trigger may name.
const EVENTS: [&str; 10] = [
    PUSH,
    DELETE,
    PULL,
    "uploadChart",
    "deleteChart",
    "downloadChart",
    "scanningCompleted",
    "scanningFailed",
    "projectQuota",
    "testEndpoint",
];

/// Addresses of one trigger, and headers of one address.
const MOST_TARGETS: usize = 10;
const MOST_HEADERS: usize = 20;
/// Headers that belong to the exchange itself.
const RESERVED: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

const NAME: Rule = Rule { english: "must have 1 to 100 characters", chinese: "长度须为1-100个字符" };
const TARGETS: Rule = Rule { english: "must hold 1 to 10 targets", chinese: "须包含1-10个触发目标" };
const ADDRESS: Rule = Rule { english: "must be an http or https URL", chinese: "须为http或https地址" };
const HEADERS: Rule = Rule {
    english: "must be at most 20 headers that HTTP allows and the exchange does not need itself",
    chinese: "须为不超过20个合法且非保留的请求头",
};
const EVENT_TYPES: Rule = Rule {
    english: "must hold events of the platform: pushImage, pullImage, deleteImage, uploadChart, deleteChart and the like",
    chinese: "取值须为pushImage、pullImage、deleteImage、uploadChart、deleteChart等",
};
const PRODUCT: Rule = Rule {
    english: "must be empty: preheating and acceleration are not offered",
    chinese: "须为空：不支持镜像预热与加速",
};
const ID: Rule = Rule { english: "must be the number of a trigger", chinese: "须为触发器Id" };
const NAMESPACE: Rule = Rule { english: "must be that of `Namespace`", chinese: "须与Namespace一致" };

/// The triggers of an instance, by number.
pub(crate) struct WebhookTriggers;

/// What is kept of a trigger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TriggerRow {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) events: Vec<String>,
    pub(crate) condition: String,
    pub(crate) enabled: bool,
    /// How many targets there are.
    pub(crate) targets: usize,
    /// The targets. Their headers may hold a secret.
    sealed: Sealed,
}

impl Table for WebhookTriggers {
    const NAME: &'static str = "tcr.webhook-triggers";
    type Scope = Regional;
    type Key = (String, i64);
    type Row = TriggerRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&TriggersOf];
}

/// The triggers of a namespace, by instance and namespace.
pub(crate) struct TriggersOf;

impl Index for TriggersOf {
    type Table = WebhookTriggers;
    type Value = (String, String);
    const NAME: &'static str = "namespace";
    const UNIQUE: bool = false;

    fn value(_: &Regional, (instance, _): &(String, i64), row: &TriggerRow) -> Option<Self::Value> {
        Some((instance.clone(), row.namespace.clone()))
    }
}

/// Where events are sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) address: String,
    /// Each with its values.
    pub(crate) headers: Vec<(String, Vec<String>)>,
}

/// The place that sealed targets are bound to.
fn context(instance: &str) -> String {
    format!("tcr/webhook-targets/{instance}")
}

/// A request about a trigger that does not say which.
pub(crate) fn without_id() -> Error {
    invalid("Trigger.Id", ID)
}

fn invalid(parameter: &'static str, rule: Rule) -> Error {
    Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameterErrorTcrInvalidParameter }
}

impl TriggerRow {
    /// Reads the trigger of a request.
    pub(crate) fn read(
        seal: &Seal,
        instance: &str,
        namespace: &str,
        trigger: &WebhookTrigger,
        product: Option<&str>,
        preheat_region: Option<&str>,
    ) -> Result<Self, Error> {
        if !(1..=100).contains(&trigger.name.chars().count()) {
            return Err(invalid("Trigger.Name", NAME));
        }
        let empty = |text: Option<&str>| text.is_none_or(str::is_empty);
        if !empty(product) || !empty(trigger.product.as_deref()) {
            return Err(invalid("Product", PRODUCT));
        }
        if !empty(preheat_region) || !empty(trigger.preheat_region.as_deref()) {
            return Err(invalid("PreheatRegion", PRODUCT));
        }
        if trigger.namespace_name.as_deref().is_some_and(|name| !name.is_empty() && name != namespace) {
            return Err(invalid("Trigger.NamespaceName", NAMESPACE));
        }
        if trigger.event_types.is_empty()
            || trigger.event_types.iter().any(|event| !EVENTS.contains(&event.as_str()))
        {
            return Err(invalid("Trigger.EventTypes", EVENT_TYPES));
        }
        if Condition::parse(&trigger.condition).is_none() {
            return Err(invalid("Trigger.Condition", CONDITION));
        }
        let targets = read_targets(&trigger.targets)?;
        let text = serde_json::to_vec(&targets).unwrap_or_default();
        Ok(Self {
            namespace: namespace.to_owned(),
            name: trigger.name.clone(),
            description: trigger.description.clone().unwrap_or_default(),
            events: trigger.event_types.clone(),
            condition: trigger.condition.clone(),
            enabled: trigger.enabled,
            targets: targets.len(),
            sealed: seal.seal(&context(instance), &text)?,
        })
    }

    /// The targets in the clear.
    pub(crate) fn open(&self, seal: &Seal, instance: &str) -> Result<Vec<Target>, Error> {
        let text = seal.open(&context(instance), &self.sealed)?;
        Ok(serde_json::from_slice(&text).unwrap_or_default())
    }

    /// The trigger as replies show it.
    pub(crate) fn describe(
        &self,
        seal: &Seal,
        instance: &str,
        id: i64,
        namespace_id: i64,
    ) -> Result<WebhookTrigger, Error> {
        let header = |(key, values)| Header { key, values };
        let targets = self.open(seal, instance)?.into_iter().map(|target| WebhookTarget {
            address: target.address,
            headers: Some(target.headers.into_iter().map(header).collect()),
        });
        Ok(WebhookTrigger {
            name: self.name.clone(),
            targets: targets.collect(),
            event_types: self.events.clone(),
            condition: self.condition.clone(),
            enabled: self.enabled,
            id: Some(id),
            description: Some(self.description.clone()),
            namespace_id: Some(namespace_id),
            namespace_name: Some(self.namespace.clone()),
            product: None,
            preheat_region: None,
        })
    }

    /// Whether the trigger tells of this event about a tag.
    pub(crate) fn means(&self, event: &str, repository: &str, tag: &str) -> bool {
        self.enabled
            && self.events.iter().any(|known| known == event)
            && Condition::parse(&self.condition).is_some_and(|condition| condition.means(repository, tag))
    }
}

fn read_targets(targets: &[WebhookTarget]) -> Result<Vec<Target>, Error> {
    if !(1..=MOST_TARGETS).contains(&targets.len()) {
        return Err(invalid("Trigger.Targets", TARGETS));
    }
    let mut read = Vec::new();
    for target in targets {
        let headers = target.headers.as_deref().unwrap_or_default();
        if !is_address(&target.address) {
            return Err(invalid("Trigger.Targets.Address", ADDRESS));
        }
        if headers.len() > MOST_HEADERS || !headers.iter().all(is_header) {
            return Err(invalid("Trigger.Targets.Headers", HEADERS));
        }
        let headers = headers.iter().map(|header| (header.key.clone(), header.values.clone())).collect();
        read.push(Target { address: target.address.clone(), headers });
    }
    Ok(read)
}

fn is_address(address: &str) -> bool {
    address.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    })
}

fn is_header(header: &Header) -> bool {
    let name = HeaderName::from_bytes(header.key.as_bytes());
    name.is_ok_and(|name| !RESERVED.contains(&name.as_str()))
        && header.values.iter().all(|value| HeaderValue::from_str(value).is_ok())
}

/// The namespaces with a trigger that tells of pulls, by instance, in memory: every pull asks. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct PullListeners(Arc<RwLock<HashSet<(String, String)>>>);

impl PullListeners {
    /// Reads all of them anew; for the start, and after each change of a trigger.
    pub(crate) fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        // Under the lock, so that the last to read is the last to write.
        let mut listeners = self.0.write();
        let rows = store.read(|view| view.scan_all::<WebhookTriggers>())?;
        let telling = rows
            .into_iter()
            .filter(|(_, _, row)| row.enabled && row.events.iter().any(|event| event == PULL));
        *listeners = telling.map(|(_, (instance, _), row)| (instance, row.namespace)).collect();
        Ok(())
    }

    pub(crate) fn contains(&self, instance: &str, namespace: &str) -> bool {
        let listeners = self.0.read();
        !listeners.is_empty() && listeners.contains(&(instance.to_owned(), namespace.to_owned()))
    }
}

/// The trigger with that number in a namespace.
pub(crate) fn existing(
    read: &impl Read,
    instance: &Instance,
    namespace: &str,
    id: i64,
) -> Result<TriggerRow, Error> {
    read.get::<WebhookTriggers>(&instance.scope, &(instance.id.clone(), id))?
        .filter(|row| row.namespace == namespace)
        .ok_or(Error::NoTrigger(id))
}

/// The triggers of an instance, or of one of its namespaces, the oldest first.
pub(crate) fn list(
    read: &impl Read,
    instance: &Instance,
    namespace: Option<&str>,
) -> Result<Vec<(i64, TriggerRow)>, StoreError> {
    let Some(namespace) = namespace else {
        let rows = read.scan::<WebhookTriggers>(&instance.scope, Scan::all().prefix(instance.id.as_str()))?;
        return Ok(rows.into_iter().map(|((_, id), row)| (id, row)).collect());
    };
    let found = read.find_all::<TriggersOf>(&(instance.id.clone(), namespace.to_owned()), usize::MAX)?;
    let found: BTreeMap<i64, TriggerRow> = found.into_iter().map(|(_, (_, id), row)| (id, row)).collect();
    Ok(found.into_iter().collect())
}

/// Takes a trigger away with its deliveries, those that still wait included.
pub(crate) fn delete(tx: &mut Transaction<'_>, instance: &Instance, id: i64) -> Result<(), StoreError> {
    webhook_deliveries::delete_of(tx, instance, id)?;
    tx.delete::<WebhookTriggers>(&instance.scope, &(instance.id.clone(), id)).map(drop)
}
