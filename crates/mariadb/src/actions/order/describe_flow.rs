//! `mariadb:DescribeFlow`: how far a flow is.

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{DescribeFlowRequest, DescribeFlowResponse};
use rookery_gateway::{Call, Resource};
use rookery_store::{Global, Read};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::{FlowState, Flows};

pub(crate) async fn describe_flow(
    mariadb: &MariaDb,
    call: Call<DescribeFlowRequest>,
) -> Result<DescribeFlowResponse, Error> {
    let uin = call.caller.account.uin;
    let number = u64::try_from(call.request.flow_id).unwrap_or_default();
    let flow = mariadb.store.read(|view| view.get::<Flows>(&Global, &number))?;
    let flow = flow.filter(|flow| flow.uin == uin && flow.region == call.region).ok_or_else(|| {
        Error::refuse(
            ErrorCode::InvalidParameterFlowNotFound,
            format!("The flow {} does not exist in this region.", call.request.flow_id),
            format!("流程 {} 在该地域不存在。", call.request.flow_id),
        )
    })?;
    let status = match flow.state {
        FlowState::Succeeded => 0,
        FlowState::Failed => 1,
        FlowState::Running => 2,
    };
    Ok(DescribeFlowResponse { status })
}

pub(crate) fn resources(_: &MariaDb, _: &Call<DescribeFlowRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
