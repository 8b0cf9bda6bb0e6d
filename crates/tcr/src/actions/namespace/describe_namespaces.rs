//! `tcr:DescribeNamespaces`: the namespaces of an instance.

use std::collections::HashSet;

use rookery_api::tcr::{DescribeNamespacesRequest, DescribeNamespacesResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Tcr;
use crate::actions;
use crate::cloud_tags::Filters;
use crate::error::Error;
use crate::instances;
use crate::namespaces::Namespaces;
use crate::paging::{self, Page};
use crate::signature_policies::SignaturePolicies;

/// By name. `NamespaceName` finds every name that contains it; the one that is it comes first, so that it is never on a page that a client
/// does not ask for. `KmsSignPolicy` keeps the namespaces whose images are signed as they are pushed.
pub(crate) async fn describe_namespaces(
    tcr: &Tcr,
    call: Call<DescribeNamespacesRequest>,
) -> Result<DescribeNamespacesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let paged = paging::namespaces(request.offset, request.limit)?;
    let page = if request.all.unwrap_or(false) { Page::ALL } else { paged };
    let filters = Filters::from_request(request.filters, false)?;
    let part = request.namespace_name.unwrap_or_default();
    let id = request.registry_id;
    let (mut found, signing) = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &id, now, instances::CONTENT)?;
        let of_instance = || Scan::all().prefix(instance.id.as_str());
        let policies = view.scan::<SignaturePolicies>(&scope, of_instance())?;
        let signing: HashSet<String> =
            policies.into_iter().filter(|(_, policy)| !policy.disabled).map(|((_, name), _)| name).collect();
        Ok::<_, Error>((view.scan::<Namespaces>(&scope, of_instance())?, signing))
    })?;
    let only_signing = request.kms_sign_policy.unwrap_or(false);
    found.retain(|((_, name), row)| {
        name.contains(&part) && filters.pass(name, &row.tags) && (!only_signing || signing.contains(name))
    });
    found.sort_by_key(|((_, name), _)| *name != part);
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let namespace_list = page.of(found).into_iter().map(|((_, name), row)| row.describe(name)).collect();
    Ok(DescribeNamespacesResponse { namespace_list, total_count })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeNamespacesRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
