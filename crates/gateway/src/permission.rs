//! Step 8: permission. The resources that an action touches, and whether its caller may.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use rookery_api::codec::Value;
use rookery_api::shape::{Kind, StructureShape};
use time::OffsetDateTime;

use crate::call::{Caller, RequestId};
use crate::error::CommonError;
use crate::identity::{Decision, Identity};

/// A tag: its key and its value.
pub type Tag = (String, String);

/// Under which circumstances somebody asks; what conditions can speak of.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Where the request came from.
    pub source: IpAddr,
    /// When.
    pub now: OffsetDateTime,
    /// Whether it came over TLS, where that is known.
    pub secure: Option<bool>,
}

impl Circumstances {
    /// A call that comes from this machine and from no connection, as work in the background and tests have it.
    #[must_use]
    pub fn inside(now: OffsetDateTime) -> Self {
        Self { source: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), now, secure: None }
    }
}

/// What an [`Identity`] is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// `tcr:CreateNamespace`.
    pub operation: &'a str,
    /// Six-segment names, or `*` where the operation is authorised as a whole.
    pub resources: &'a [String],
    /// The tags of each resource, in the order of `resources`, where the action knows them better than the tag service.
    pub resource_tags: &'a [Vec<Tag>],
    /// The tags that the request wants to set.
    pub request_tags: &'a [Tag],
    /// The rest.
    pub circumstances: Circumstances,
}

/// The last segment of a six-segment resource name, for instance `instance/tcr-ab12cd34`. The other segments (product, region,
/// account) are the call's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    path: Cow<'static, str>,
    /// Whether `path` is the whole name already.
    whole: bool,
    tags: Vec<Tag>,
}

impl Resource {
    /// `*`: the action is authorised at the level of the operation.
    #[must_use]
    pub fn any() -> Self {
        Self::named("*")
    }

    /// The resource of that last segment.
    #[must_use]
    pub fn named(segment: impl Into<Cow<'static, str>>) -> Self {
        Self { path: segment.into(), whole: false, tags: Vec::new() }
    }

    /// The resource of that whole six-segment name, where the product or the account is another than the call's:
    /// `qcs::cam::uin/100000000001:roleName/deploy`.
    #[must_use]
    pub fn whole(name: impl Into<Cow<'static, str>>) -> Self {
        Self { whole: true, ..Self::named(name) }
    }

    /// With the tags that it carries, which `qcs:resource_tag` speaks of.
    #[must_use]
    pub fn tagged(self, tags: Vec<Tag>) -> Self {
        Self { tags, ..self }
    }

    /// The whole name: `qcs::tcr:ap-guangzhou:uin/100000000001:instance/tcr-ab12cd34`. An action-level resource is `*` alone.
    #[must_use]
    pub fn qualified(self, product: &str, region: &str, caller: &Caller) -> String {
        if self.whole || self.path == "*" {
            return self.path.into_owned();
        }
        format!("qcs::{product}:{region}:uin/{}:{}", caller.account.uin, self.path)
    }
}

/// A permission that was asked for, as the trace keeps it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Asked {
    /// What for.
    pub operation: Operation,
    /// The six-segment names.
    pub resources: Vec<String>,
    /// What decided.
    pub decision: Cow<'static, str>,
}

/// An action as policies name it: `tcr:CreateNamespace`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The product.
    pub product: &'static str,
    /// The action.
    pub action: &'static str,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.product, self.action)
    }
}

impl serde::Serialize for Operation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is asked of one call.
#[derive(Debug)]
pub struct Asking<'a> {
    /// The action.
    pub operation: Operation,
    /// Its text, made once.
    pub operation_name: &'a str,
    /// The region of the call.
    pub region: &'a str,
    /// What it touches.
    pub resources: Vec<Resource>,
    /// The tags that it wants to set.
    pub request_tags: &'a [Tag],
    /// The rest.
    pub circumstances: Circumstances,
}

/// Asks for the permission of one call. A call that names no resource (a list that came empty) asks for the operation as a whole.
pub fn check(
    identity: &dyn Identity,
    caller: &Caller,
    request_id: RequestId,
    asking: Asking<'_>,
) -> (Asked, Result<(), CommonError>) {
    let Asking { operation, operation_name, region, mut resources, request_tags, circumstances } = asking;
    // Nothing can be said of a root by conditions.
    let resource_tags: Vec<Vec<Tag>> = if caller.is_root() {
        Vec::new()
    } else {
        resources.iter_mut().map(|resource| std::mem::take(&mut resource.tags)).collect()
    };
    if resources.is_empty() {
        resources.push(Resource::any());
    }
    let qualify = |resource: Resource| resource.qualified(operation.product, region, caller);
    let names: Vec<String> = resources.into_iter().map(qualify).collect();
    let question = Question {
        operation: operation_name,
        resources: &names,
        resource_tags: &resource_tags,
        request_tags,
        circumstances,
    };
    let (decision, result) = match identity.decide(caller, &question) {
        Decision::Allowed(decision) => (decision, Ok(())),
        Decision::Denied { resource, reason } => {
            let (request_id, operation) = (request_id.to_string(), operation_name.to_owned());
            let error = CommonError::UnauthorizedOperation { request_id, operation, resource };
            (reason.into(), Err(error))
        }
    };
    (Asked { operation, resources: names, decision }, result)
}

/// The tags in a request: what has a key and a value (`Key` and `Value`, `TagKey` and `TagValue`) in a list whose name begins with
/// `Tag` or is `ReplaceTags`, at the top or one structure deeper (`TagSpecification`), or is `TagKey` and `TagValue` of the request itself.
#[must_use]
pub fn request_tags(value: &Value, shape: &StructureShape) -> Vec<Tag> {
    let mut tags = Vec::new();
    if shape.position("TagValue").is_some() {
        tags.extend(tag(value, shape));
    }
    collect_tags(value, shape, true, &mut tags);
    tags
}

fn collect_tags(value: &Value, shape: &StructureShape, deeper: bool, tags: &mut Vec<Tag>) {
    let Value::Structure(values) = value else { return };
    for (value, member) in values.iter().zip(shape.members) {
        if !member.name.starts_with("Tag") && member.name != "ReplaceTags" {
            continue;
        }
        match (value, &member.kind) {
            (Value::List(items), Kind::List(Kind::Structure(shape))) => {
                for item in items {
                    match tag(item, shape) {
                        Some(tag) => tags.push(tag),
                        None if deeper => collect_tags(item, shape, false, tags),
                        None => {}
                    }
                }
            }
            (Value::Structure(_), Kind::Structure(shape)) if deeper => {
                collect_tags(value, shape, false, tags);
            }
            _ => {}
        }
    }
}

fn tag(value: &Value, shape: &StructureShape) -> Option<Tag> {
    let Value::Structure(values) = value else { return None };
    let text = |names: [&str; 2]| {
        let position = names.into_iter().find_map(|name| shape.position(name))?;
        match values.get(position)? {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    };
    Some((text(["Key", "TagKey"])?, text(["Value", "TagValue"]).unwrap_or_default()))
}
