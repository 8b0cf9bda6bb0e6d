//! `tag:DescribeProjects`: the projects; disabled ones only where all are asked for.

use rookery_api::tag::{DescribeProjectsRequest, DescribeProjectsResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Account, Read, Scan};

use crate::Tags;
use crate::actions::on_all;
use crate::error::Error;
use crate::paging;
use crate::projects::{self, Projects};

pub(crate) async fn describe_projects(
    tags: &Tags,
    call: Call<DescribeProjectsRequest>,
) -> Result<DescribeProjectsResponse, Error> {
    let scope = Account { uin: call.caller.account.uin };
    let request = call.request;
    let all = match request.all_list {
        0 => false,
        1 => true,
        _ => return Err(Error::Parameter { parameter: "AllList", rule: "must be 0 or 1" }),
    };
    let id = match request.project_id {
        None => None,
        Some(id) => match u64::try_from(id) {
            Ok(id) => Some(id).filter(|id| *id > 0),
            Err(_) => return Err(Error::Parameter { parameter: "ProjectId", rule: "must not be negative" }),
        },
    };
    let name = request.project_name.filter(|name| !name.is_empty());
    let mut rows = tags.store.read(|view| view.scan::<Projects>(&scope, Scan::all()))?;
    rows.retain(|(number, row)| {
        (all || !row.disabled)
            && id.is_none_or(|id| id == *number)
            && name.as_deref().is_none_or(|name| row.name.contains(name))
    });
    let page = paging::page(rows, Some(request.offset), Some(request.limit), 1000)
        .map_err(|_| Error::Parameter { parameter: "Limit", rule: "must be between 1 and 1,000" })?;
    Ok(DescribeProjectsResponse {
        total: page.total,
        projects: page.rows.into_iter().map(|(id, row)| projects::info(id, row)).collect(),
    })
}

pub(crate) fn resources(_: &Tags, _: &Call<DescribeProjectsRequest>) -> Vec<Resource> {
    on_all()
}
