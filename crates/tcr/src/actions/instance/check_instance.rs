//! `tcr:CheckInstance`: is this the id of an instance of the caller, and in which region?

use rookery_api::tcr::{CheckInstanceRequest, CheckInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;

/// An id that is nobody's, or somebody else's, is not an error but not valid; its region is 0.
pub(crate) async fn check_instance(
    tcr: &Tcr,
    call: Call<CheckInstanceRequest>,
) -> Result<CheckInstanceResponse, Error> {
    let found = tcr.store.read(|view| instances::find(view, &call.request.registry_id))?;
    let own = found.filter(|instance| instance.scope.uin == call.caller.account.uin);
    Ok(CheckInstanceResponse {
        is_validated: own.is_some(),
        region_id: own.map_or(0, |instance| instances::region_id(&instance.scope)),
    })
}

pub(crate) fn resources(_: &Tcr, call: &Call<CheckInstanceRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
