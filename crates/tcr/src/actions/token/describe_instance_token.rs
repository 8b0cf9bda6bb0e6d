//! `tcr:DescribeInstanceToken`: the long-term tokens of an instance.

use rookery_api::tcr::{DescribeInstanceTokenRequest, DescribeInstanceTokenResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::paging;
use crate::tokens;

/// The oldest first, without their text.
pub(crate) async fn describe_instance_token(
    tcr: &Tcr,
    call: Call<DescribeInstanceTokenRequest>,
) -> Result<DescribeInstanceTokenResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let page = paging::records(request.offset, request.limit)?;
    let (id, found) = tcr.store.read(|view| {
        let instance = instances::existing(view, &scope, &request.registry_id, instances::TOKENS)?;
        let found = tokens::list(view, &instance)?;
        Ok::<_, Error>((instance.id, found))
    })?;
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let tokens = page.of(found).into_iter().map(|(token, row)| row.describe(&id, token)).collect();
    Ok(DescribeInstanceTokenResponse { total_count, tokens })
}

pub(crate) fn resources(_: &Tcr, call: &Call<DescribeInstanceTokenRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
