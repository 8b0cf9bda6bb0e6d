//! `mariadb:CopyAccountPrivileges`: an account gets exactly the privileges of another.

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{CopyAccountPrivilegesRequest, CopyAccountPrivilegesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, Name};
use crate::error::Error;
use crate::instances;

pub(crate) async fn copy_account_privileges(
    mariadb: &MariaDb,
    call: Call<CopyAccountPrivilegesRequest>,
) -> Result<CopyAccountPrivilegesResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let alone = mariadb.lock(&id);
    let _alone = alone.lock().await;
    let row = mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    let from = Name::of(&request.src_user_name, &request.src_host);
    let to = Name::of(&request.dst_user_name, &request.dst_host);
    let (source, target) = mariadb.store.read(|view| {
        Ok::<_, Error>((accounts::existing(view, &id, &from)?, accounts::existing(view, &id, &to)?))
    })?;
    let told = [(&request.src_read_only, source.read_only), (&request.dst_read_only, target.read_only)];
    let differs = |(told, is): &(&Option<String>, i64)| {
        told.as_deref().is_some_and(|told| !told.is_empty() && told != is.to_string())
    };
    if source.read_only != target.read_only || told.iter().any(differs) {
        return Err(Error::refuse(
            ErrorCode::FailedOperationCopyRightError,
            "Privileges are copied between accounts of the same `ReadOnly` only.",
            "只能在 `ReadOnly` 属性相同的账号之间复制权限。",
        ));
    }
    if from == to {
        return Err(Error::invalid("DstUserName", "must be another account"));
    }
    let mut server = mariadb.primary(&id, &row).await?;
    accounts::copy_rights(&mut server, &from, &to).await?;
    Ok(CopyAccountPrivilegesResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<CopyAccountPrivilegesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
