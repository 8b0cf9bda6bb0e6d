//! `tcr:CreateServiceAccount`: a login for machines, with rights in single namespaces.

use rookery_api::tcr::{CreateServiceAccountRequest, CreateServiceAccountResponse, ErrorCode};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Tcr;
use crate::actions;
use crate::error::{Counted, Error};
use crate::instances;
use crate::service_accounts::{self, AccountRow, End, PasswordHash, ServiceAccounts};

/// The password is told here and never again. Without `Duration` and `ExpiresAt` the account has no end.
pub(crate) async fn create_service_account(
    tcr: &Tcr,
    call: Call<CreateServiceAccountRequest>,
) -> Result<CreateServiceAccountResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let name = service_accounts::read_name(&request.name)?;
    let expires_at = service_accounts::read_end(request.duration, request.expires_at, now)?.and_then(End::moment);
    let (password, hash) = tokio::task::spawn_blocking(|| {
        let password = service_accounts::random_password()?;
        let hash = PasswordHash::of(&password)?;
        Ok::<_, Error>((password, hash))
    })
    .await??;
    let (id, permissions) = (request.registry_id, request.permissions);
    let (description, disabled) = (request.description.unwrap_or_default(), request.disable.unwrap_or(false));
    let shown = format!("{}{name}", service_accounts::PREFIX);
    let row = tcr
        .change_access(move |tx| {
            let instance = instances::running(tx, &scope, &id, now, instances::ACCOUNTS)?;
            let row = AccountRow {
                description: description.clone(),
                disabled,
                expires_at,
                created_at: now,
                updated_at: now,
                permissions: service_accounts::read_permissions(tx, &instance, &permissions)?,
                password: hash.clone(),
            };
            let (limit, scan) = (service_accounts::MOST, Scan::all().prefix(id.as_str()));
            if tx.count::<ServiceAccounts>(&scope, scan)? >= limit {
                let code = ErrorCode::OperationDeniedQuotaOverLimit;
                return Err(Error::Quota { counted: Counted::ServiceAccounts, limit, code });
            }
            if !tx.insert::<ServiceAccounts>(&scope, &(id.clone(), name.clone()), &row)? {
                return Err(Error::ServiceAccountTaken(name.clone()));
            }
            Ok(row)
        })
        .await?;
    Ok(CreateServiceAccountResponse {
        name: shown,
        password,
        expires_at: row.expires_at(),
        create_time: row.created_at.beijing(),
    })
}

pub(crate) fn resources(_: &Tcr, call: &Call<CreateServiceAccountRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
