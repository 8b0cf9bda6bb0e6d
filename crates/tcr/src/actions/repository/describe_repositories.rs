//! `tcr:DescribeRepositories`: the repositories of an instance, or of one namespace.

use rookery_api::tcr::{DescribeRepositoriesRequest, DescribeRepositoriesResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Regional, Scan, StoreError};

use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances::{self, Instance};
use crate::namespaces;
use crate::paging;
use crate::repositories::{self, Repositories, RepositoryRow};

const SORT_BY: Rule = Rule {
    english: "must be `-creation_time`, `-name` or `-update_time`",
    chinese: "取值须为-creation_time、-name或-update_time",
};

/// The order of a listing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Name,
    NameDescending,
    Newest,
    LastChanged,
}

impl Order {
    fn parse(text: Option<&str>) -> Result<Self, Error> {
        match text {
            None | Some("") => Ok(Self::Name),
            Some("-name") => Ok(Self::NameDescending),
            Some("-creation_time") => Ok(Self::Newest),
            Some("-update_time") => Ok(Self::LastChanged),
            Some(_) => {
                let code = ErrorCode::InvalidParameter;
                Err(Error::Invalid { parameter: "SortBy", rule: SORT_BY, code })
            }
        }
    }
}

/// By name unless `SortBy` says otherwise. `RepositoryName` finds the repository of exactly that name (without its namespace), which is
/// how clients ask whether it exists. A namespace that is not there has no repositories.
pub(crate) async fn describe_repositories(
    tcr: &Tcr,
    call: Call<DescribeRepositoriesRequest>,
) -> Result<DescribeRepositoriesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let order = Order::parse(request.sort_by.as_deref())?;
    let namespace = request.namespace_name.filter(|name| !name.is_empty());
    let name = request.repository_name.filter(|name| !name.is_empty());
    tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::CONTENT)?;
        let (total, rows) = match (namespace.as_deref(), name.as_deref()) {
            (Some(namespace), Some(name)) => {
                let name = repositories::whole_name(namespace, name);
                let row = repositories::find(view, &instance, &name)?;
                let rows: Vec<_> = row.map(|row| (name, row)).into_iter().collect();
                let page = paging::pages(request.offset, request.limit, rows.len())?;
                (rows.len(), page.of(rows))
            }
            (namespace, Some(name)) => {
                let mut rows = all(view, &instance, namespace)?;
                rows.retain(|(whole, _)| whole.split_once('/').is_some_and(|(_, rest)| rest == name));
                sort(&mut rows, order);
                let page = paging::pages(request.offset, request.limit, rows.len())?;
                (rows.len(), page.of(rows))
            }
            (namespace, None) => {
                let total =
                    view.count::<Repositories>(&scope, repositories::scan_of(&instance, namespace))?;
                let page = paging::pages(request.offset, request.limit, total)?;
                if matches!(order, Order::Name | Order::NameDescending) {
                    // The order of the keys: only the page is read.
                    let scan = repositories::scan_of(&instance, namespace).skip(page.skip).limit(page.length);
                    let scan = if order == Order::Name { scan } else { scan.reverse() };
                    (total, named(view, &scope, scan)?)
                } else {
                    let mut rows = all(view, &instance, namespace)?;
                    sort(&mut rows, order);
                    (total, page.of(rows))
                }
            }
        };
        let mut repository_list = Vec::with_capacity(rows.len());
        for (name, row) in rows {
            let namespace = name.split_once('/').map_or("", |(namespace, _)| namespace);
            let public = namespaces::find(view, &instance, namespace)?.is_some_and(|row| row.public);
            repository_list.push(row.describe(name, public));
        }
        let total_count = i64::try_from(total).unwrap_or(i64::MAX);
        Ok(DescribeRepositoriesResponse { repository_list, total_count })
    })
}

fn all(
    read: &impl Read,
    instance: &Instance,
    namespace: Option<&str>,
) -> Result<Vec<(String, RepositoryRow)>, StoreError> {
    named(read, &instance.scope, repositories::scan_of(instance, namespace))
}

fn named(
    read: &impl Read,
    scope: &Regional,
    scan: Scan<(String, String)>,
) -> Result<Vec<(String, RepositoryRow)>, StoreError> {
    let rows = read.scan::<Repositories>(scope, scan)?;
    Ok(rows.into_iter().map(|((_, name), row)| (name, row)).collect())
}

fn sort(rows: &mut [(String, RepositoryRow)], order: Order) {
    match order {
        Order::Name => {}
        Order::NameDescending => rows.reverse(),
        Order::Newest => rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.created_at)),
        Order::LastChanged => rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.updated_at)),
    }
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeRepositoriesRequest>) -> Vec<Resource> {
    match (call.request.namespace_name.as_deref().unwrap_or(""), call.request.repository_name.as_deref().unwrap_or("")) {
        ("", _) => actions::on_instance(&call.request.registry_id),
        (namespace, "") => actions::on_namespace(&call.request.registry_id, namespace),
        (namespace, name) => actions::on_repository(&call.request.registry_id, namespace, name),
    }
}
