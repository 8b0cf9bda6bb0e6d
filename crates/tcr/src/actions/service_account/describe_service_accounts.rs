//! `tcr:DescribeServiceAccounts`: the service accounts of an instance.

use rookery_api::tcr::{DescribeServiceAccountsRequest, DescribeServiceAccountsResponse, ErrorCode};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances;
use crate::paging::{self, Page};
use crate::service_accounts;

const FILTER: Rule = Rule { english: "must be ServiceAccountName", chinese: "仅支持ServiceAccountName" };

/// The oldest first; `All` gives them in one page. Permissions are shown unless `EmbedPermission` is false: Terraform does
/// not send it, and reads them.
pub(crate) async fn describe_service_accounts(
    tcr: &Tcr,
    call: Call<DescribeServiceAccountsRequest>,
) -> Result<DescribeServiceAccountsResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let page = if request.all.unwrap_or(false) {
        Page::ALL
    } else {
        paging::records(request.offset, request.limit)?
    };
    let mut names: Option<Vec<String>> = None;
    for filter in request.filters.unwrap_or_default() {
        if filter.name != "ServiceAccountName" {
            let code = ErrorCode::InvalidParameter;
            return Err(Error::Invalid { parameter: "Filters.Name", rule: FILTER, code });
        }
        let values: Vec<String> =
            filter.values.iter().map(|name| service_accounts::bare(name).to_owned()).collect();
        // Filters are joined by "and", the values of one by "or".
        names = Some(match names {
            None => values,
            Some(names) => names.into_iter().filter(|name| values.contains(name)).collect(),
        });
    }
    let mut found = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::ACCOUNTS)?;
        Ok::<_, Error>(service_accounts::list(view, &instance)?)
    })?;
    found.retain(|(name, _)| names.as_ref().is_none_or(|names| names.contains(name)));
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let embed = request.embed_permission.unwrap_or(true);
    let service_accounts = page.of(found).iter().map(|(name, row)| row.describe(name, embed)).collect();
    Ok(DescribeServiceAccountsResponse { service_accounts, total_count })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeServiceAccountsRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
