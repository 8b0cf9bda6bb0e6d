//! `tcr:CheckInstanceName`: may this name be used for a new instance?

use rookery_api::tcr::{CheckInstanceNameRequest, CheckInstanceNameResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::error::Error;
use crate::instances;
use crate::names::{self, InstanceNameFault};

/// `DetailCode`: 0 fine, 1 illegal, 2 reserved, 3 taken.
pub(crate) async fn check_instance_name(
    tcr: &Tcr,
    call: Call<CheckInstanceNameRequest>,
) -> Result<CheckInstanceNameResponse, Error> {
    let name = &call.request.registry_name;
    let detail_code = match names::instance(name) {
        Err(InstanceNameFault::Illegal) => 1,
        Err(InstanceNameFault::Reserved) => 2,
        Ok(()) if tcr.store.read(|view| instances::find_by_name(view, name))?.is_some() => 3,
        Ok(()) => 0,
    };
    Ok(CheckInstanceNameResponse { is_validated: detail_code == 0, detail_code })
}

pub(crate) fn resources(_: &Tcr, _: &Call<CheckInstanceNameRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
