//! `cam:ListGroups`: the groups, page by page.

use rookery_api::cam::{ListGroupsRequest, ListGroupsResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::groups::{self, Groups};
use crate::cam::pages::{self, Keyword};

pub(crate) async fn list_groups(
    cam: &Cam,
    call: Call<ListGroupsRequest>,
) -> Result<ListGroupsResponse, Error> {
    let scope = scope(&call);
    let keyword = Keyword::read(call.request.keyword)?;
    let mut rows = cam.store.read(|view| view.scan::<Groups>(&scope, Scan::all()))?;
    rows.retain(|(_, row)| keyword.is_in(&row.name));
    let (rows, total_num) = pages::numbered(rows, call.request.page, call.request.rp)?;
    let group_info = rows.into_iter().map(|(id, row)| groups::info(id, row)).collect();
    Ok(ListGroupsResponse { total_num, group_info })
}

pub(crate) fn resources(_: &Cam, _: &Call<ListGroupsRequest>) -> Vec<Resource> {
    on_all()
}
