//! `tcr:ModifyServiceAccountPassword`: another password for a service account.

use rookery_api::tcr::{ModifyServiceAccountPasswordRequest, ModifyServiceAccountPasswordResponse};
use rookery_gateway::{Call, Resource};

use crate::Tcr;
use crate::actions;
use crate::error::Error;
use crate::instances;
use crate::service_accounts::{self, AccountRow, PasswordHash, ServiceAccounts};

/// With `Random` a new one is made, and `Password` is not looked at. Bearer tokens that the old one was exchanged for run out by themselves.
pub(crate) async fn modify_service_account_password(
    tcr: &Tcr,
    call: Call<ModifyServiceAccountPasswordRequest>,
) -> Result<ModifyServiceAccountPasswordResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let given = match (request.random, request.password) {
        (true, _) => None,
        (false, None) => return Err(Error::Missing("Password")),
        (false, Some(password)) => {
            service_accounts::check_password(&password)?;
            Some(password)
        }
    };
    let (password, hash) = tokio::task::spawn_blocking(move || {
        let password = given.map_or_else(service_accounts::random_password, Ok)?;
        let hash = PasswordHash::of(&password)?;
        Ok::<_, Error>((password, hash))
    })
    .await??;
    let (id, name) = (request.registry_id, request.name);
    tcr.change_access(move |tx| {
        let instance = instances::running(tx, &scope, &id, now, instances::ACCOUNTS)?;
        let before = service_accounts::existing(tx, &instance, &name)?;
        let row = AccountRow { password: hash.clone(), updated_at: now, ..before };
        let key = (id.clone(), service_accounts::bare(&name).to_owned());
        Ok(tx.put::<ServiceAccounts>(&scope, &key, &row)?)
    })
    .await?;
    Ok(ModifyServiceAccountPasswordResponse { password })
}

pub(crate) fn resources(_: &Tcr, call: &Call<ModifyServiceAccountPasswordRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
