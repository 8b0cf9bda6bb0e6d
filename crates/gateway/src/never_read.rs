//! What a request carried and nothing read, for the trace.
//!
//! Two sources: members of the request that the action's code never takes, which is a fact about the code and known when it is built
//! ([`Unread`]), held against what was sent; and parts of the message that its layout does not look at, such as the query of a POST.

use std::borrow::Cow;

use http::Method;
use rookery_api::codec::Value;
use rookery_api::shape::{Kind, StructureShape};

use crate::arrival::Arrival;
use crate::common_parameters::{CommonParameters, Style};

/// The members of an action's request that its code never takes.
#[derive(Clone, Copy, Debug)]
pub struct Unread {
    /// The product.
    pub product: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The action.
    pub action: &'static str,
    /// Names of members, dotted below the top and without indices (`Filters.Name`).
    pub members: &'static [&'static str],
}

/// The common headers of signature v3 (`protocol.md` §1) that the steps before the action read; the region only where the product has some.
const READ_HEADERS: [&str; 7] = [
    "x-tc-action",
    "x-tc-content-sha256",
    "x-tc-language",
    "x-tc-requestclient",
    "x-tc-timestamp",
    "x-tc-token",
    "x-tc-version",
];
const REGION_HEADER: &str = "x-tc-region";

/// What clients send although nothing reads it, so often that it is not worth a copy: the region to products without regions, and the id that
/// the SDKs of Python and Node make up for each call.
const USUAL: [&str; 2] = [REGION_HEADER, "x-tc-traceid"];

/// The parts of the message that nothing looks at: `X-TC-` headers, the query of a POST (which no signature covers), the body of a GET.
#[must_use]
pub fn of_message(
    arrival: &Arrival,
    common: &CommonParameters<'_>,
    region_counts: bool,
) -> Vec<Cow<'static, str>> {
    let mut unread = Vec::new();
    let is_read = |name: &str| {
        common.style == Style::Header
            && (READ_HEADERS.contains(&name) || (name == REGION_HEADER && region_counts))
    };
    for name in arrival.headers.keys().map(http::HeaderName::as_str) {
        if name.starts_with("x-tc-") && !is_read(name) {
            let usual = USUAL.iter().find(|usual| **usual == name);
            unread.push(usual.map_or_else(|| Cow::Owned(name.to_owned()), |name| Cow::Borrowed(*name)));
        }
    }
    if common.style == Style::Parameter && !region_counts && common.region.is_some() {
        unread.push(Cow::Borrowed("Region"));
    }
    if arrival.method == Method::POST && !arrival.query().is_empty() {
        unread.push(Cow::Borrowed("the query of a POST"));
    }
    if arrival.method == Method::GET && !arrival.body.is_empty() {
        unread.push(Cow::Borrowed("the body of a GET"));
    }
    unread
}

/// Those of `members` that were sent.
pub fn sent<'a>(
    value: &'a Value,
    shape: &'static StructureShape,
    members: &'static [&'static str],
) -> impl Iterator<Item = &'static str> + use<'a> {
    members.iter().copied().filter(move |path| is_sent(value, &Kind::Structure(shape), path))
}

fn is_sent(value: &Value, kind: &Kind, path: &str) -> bool {
    if path.is_empty() {
        return *value != Value::Absent;
    }
    match (value, kind) {
        (Value::List(items), Kind::List(item)) => items.iter().any(|value| is_sent(value, item, path)),
        (Value::Structure(members), Kind::Structure(shape)) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            let position = shape.position(name);
            let member = position.and_then(|at| Some((members.get(at)?, &shape.members.get(at)?.kind)));
            member.is_some_and(|(value, kind)| is_sent(value, kind, rest))
        }
        _ => false,
    }
}
