//! `cam:GetServiceLinkedRoleDeletionStatus`: how the deletion of a product's role went.

use rookery_api::cam::{
    GetServiceLinkedRoleDeletionStatusRequest, GetServiceLinkedRoleDeletionStatusResponse,
};
use rookery_gateway::{Call, Resource};
use rookery_store::Read;

use crate::Cam;
use crate::actions::cam::{on_all, scope};
use crate::cam::error::Error;
use crate::cam::moments;
use crate::cam::roles::RoleDeletions;

/// A deletion that has a task has been carried out; the others are refused when they are asked for.
pub(crate) async fn get_service_linked_role_deletion_status(
    cam: &Cam,
    call: Call<GetServiceLinkedRoleDeletionStatusRequest>,
) -> Result<GetServiceLinkedRoleDeletionStatusResponse, Error> {
    let scope = scope(&call);
    let task = call.request.deletion_task_id;
    let row = cam.store.read(|view| view.get::<RoleDeletions>(&scope, task.as_str()))?;
    let row = row.ok_or(Error::NoDeletion { task })?;
    let service = row.services.into_iter().next().unwrap_or_default();
    Ok(GetServiceLinkedRoleDeletionStatusResponse {
        status: "SUCCEEDED".to_owned(),
        reason: format!("{} was deleted at {}", row.role_name, moments::local(row.at)),
        service_type: Some(service.split('.').next().unwrap_or_default().to_owned()),
        service_name: Some(service),
    })
}

pub(crate) fn resources(_: &Cam, _: &Call<GetServiceLinkedRoleDeletionStatusRequest>) -> Vec<Resource> {
    on_all()
}
