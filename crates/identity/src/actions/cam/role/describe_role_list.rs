//! `cam:DescribeRoleList`: the roles, page by page; with tags only those that have all of them.

use rookery_api::cam::{DescribeRoleListRequest, DescribeRoleListResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::pages;
use crate::cam::roles::{self, Roles};

pub(crate) async fn describe_role_list(
    cam: &Cam,
    call: Call<DescribeRoleListRequest>,
) -> Result<DescribeRoleListResponse, Error> {
    let scope = scope(&call);
    let wanted = call.request.tags.unwrap_or_default();
    let mut rows = cam.store.read(|view| view.scan::<Roles>(&scope, Scan::all()))?;
    rows.retain(|(_, row)| {
        wanted.iter().all(|tag| row.tags.iter().any(|(key, value)| *key == tag.key && *value == tag.value))
    });
    let (rows, total_num) = pages::numbered(rows, Some(call.request.page), Some(call.request.rp))?;
    let list = rows.into_iter().map(|(id, row)| roles::info(scope.uin, id, row)).collect();
    Ok(DescribeRoleListResponse { list, total_num })
}

pub(crate) fn resources(_: &Cam, _: &Call<DescribeRoleListRequest>) -> Vec<Resource> {
    on_all()
}
