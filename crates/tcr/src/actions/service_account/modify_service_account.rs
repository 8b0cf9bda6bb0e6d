//! `tcr:ModifyServiceAccount`: a service account's description, end, state or rights.

use rookery_api::tcr::{ModifyServiceAccountRequest, ModifyServiceAccountResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::service_accounts::{self, End, ServiceAccounts};

/// What the request does not name stays as it is; permissions are replaced as a whole. It holds at once, also for whoever is logged in.
pub(crate) async fn modify_service_account(
    tcr: &Tcr,
    call: Call<ModifyServiceAccountRequest>,
) -> Result<ModifyServiceAccountResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let end = service_accounts::read_end(request.duration, request.expires_at, now)?;
    let (id, name) = (request.registry_id, request.name);
    let (description, disable, permissions) = (request.description, request.disable, request.permissions);
    tcr.change_access(move |tx| {
        let instance = instances::running(tx, &scope, &id, now, instances::ACCOUNTS)?;
        let mut row = service_accounts::existing(tx, &instance, &name)?;
        if let Some(permissions) = &permissions {
            row.permissions = service_accounts::read_permissions(tx, &instance, permissions)?;
        }
        if let Some(description) = &description {
            row.description.clone_from(description);
        }
        row.disabled = disable.unwrap_or(row.disabled);
        row.expires_at = end.map_or(row.expires_at, End::moment);
        row.updated_at = now;
        let key = (id.clone(), service_accounts::bare(&name).to_owned());
        Ok(tx.put::<ServiceAccounts>(&scope, &key, &row)?)
    })
    .await?;
    Ok(ModifyServiceAccountResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyServiceAccountRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
