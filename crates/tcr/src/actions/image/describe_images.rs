//! `tcr:DescribeImages`: the tags of a repository.

use rookery_api::tcr::{DescribeImagesRequest, DescribeImagesResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::images::Wanted;
use crate::instances;
use crate::paging;
use crate::repositories;

/// One row for each tag, the one pushed last first. `ImageVersion` finds every tag that contains it, with `ExactMatch` only the tag itself.
pub(crate) async fn describe_images(
    tcr: &Tcr,
    call: Call<DescribeImagesRequest>,
) -> Result<DescribeImagesResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let name = repositories::whole_name(&request.namespace_name, &request.repository_name);
    let instance = tcr.store.read(|view| {
        let instance = instances::running(view, &scope, &request.registry_id, now, instances::CONTENT)?;
        repositories::existing(view, &instance, &name)?;
        Ok::<_, Error>(instance)
    })?;
    let repository = repositories::registry_name(&instance, &name)?;
    let wanted = Wanted {
        tag: request.image_version.unwrap_or_default(),
        exact: request.exact_match.unwrap_or(false),
        digest: request.digest.unwrap_or_default(),
    };
    let found = tcr.list_images(&repository, &wanted)?;
    let page = paging::pages(request.offset, request.limit, found.len())?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let rows = page.of(found).into_iter().map(|entry| tcr.describe_image(&instance, &repository, &entry));
    Ok(DescribeImagesResponse { image_info_list: rows.collect::<Result<_, _>>()?, total_count })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeImagesRequest>) -> Vec<Resource> {
    actions::on_repository(&call.request.registry_id, &call.request.namespace_name, &call.request.repository_name)
}
