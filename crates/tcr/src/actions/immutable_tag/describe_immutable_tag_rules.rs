//! `tcr:DescribeImmutableTagRules`: the rules of an instance, and the namespaces without one.

use rookery_api::tcr::{DescribeImmutableTagRulesRequest, DescribeImmutableTagRulesResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::immutable_tags;
use crate::instances;
use crate::namespaces::Namespaces;
use crate::paging;

/// The rules come in pages and in the order of their namespaces; the namespaces without a rule come whole.
pub(crate) async fn describe_immutable_tag_rules(
    tcr: &Tcr,
    call: Call<DescribeImmutableTagRulesRequest>,
) -> Result<DescribeImmutableTagRulesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let page = paging::numbered(request.page, request.page_size)?;
    let (rules, namespaces) = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::IMMUTABLE)?;
        let rules = immutable_tags::list(view, &instance)?;
        let keys = view.scan_keys::<Namespaces>(&scope, Scan::all().prefix(instance.id.as_str()))?;
        Ok::<_, Error>((rules, keys))
    })?;
    let has_rule = |name: &String| rules.iter().any(|(namespace, _)| namespace == name);
    let empty_ns = namespaces.into_iter().map(|(_, name)| name).filter(|name| !has_rule(name)).collect();
    let total = i64::try_from(rules.len()).unwrap_or(i64::MAX);
    let rules = page.of(rules).into_iter().map(|(namespace, row)| row.describe(namespace)).collect();
    Ok(DescribeImmutableTagRulesResponse { rules, empty_ns, total })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeImmutableTagRulesRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
