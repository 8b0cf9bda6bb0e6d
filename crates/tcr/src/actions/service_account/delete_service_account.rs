//! `tcr:DeleteServiceAccount`: a service account is good for nothing any more.

use rookery_api::tcr::{DeleteServiceAccountRequest, DeleteServiceAccountResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::service_accounts::{self, ServiceAccounts};

/// At once, also for whoever is logged in with it.
pub(crate) async fn delete_service_account(
    tcr: &Tcr,
    call: Call<DeleteServiceAccountRequest>,
) -> Result<DeleteServiceAccountResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let (id, name) = (call.request.registry_id, call.request.name);
    tcr.change_access(move |tx| {
        let instance = instances::running(tx, &scope, &id, now, instances::ACCOUNTS)?;
        service_accounts::existing(tx, &instance, &name)?;
        tx.delete::<ServiceAccounts>(&scope, &(id.clone(), service_accounts::bare(&name).to_owned()))?;
        Ok(())
    })
    .await?;
    Ok(DeleteServiceAccountResponse::default())
}

pub(crate) fn resources(_: &Tcr, call: &Call<DeleteServiceAccountRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
