//! `mariadb:ResetAccountPassword`: another password for an account.

use rookery_api::mariadb::{ResetAccountPasswordRequest, ResetAccountPasswordResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, Name};
use crate::error::Error;
use crate::instances;
use crate::sql;

pub(crate) async fn reset_account_password(
    mariadb: &MariaDb,
    call: Call<ResetAccountPasswordRequest>,
) -> Result<ResetAccountPasswordResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let alone = mariadb.lock(&id);
    let _alone = alone.lock().await;
    let row = mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    let name = Name::of(&request.user_name, &request.host);
    let password = accounts::password(request.password.as_deref(), request.encrypted_password.as_deref())?;
    let mut account = mariadb.store.read(|view| accounts::existing(view, &id, &name))?;
    let mut server = mariadb.primary(&id, &row).await?;
    server.run(&format!("ALTER USER {} IDENTIFIED BY {}", name.sql(), sql::text(&password))).await?;
    account.updated = now;
    mariadb.store.write(move |tx| accounts::put(tx, &id, &account)).await?;
    Ok(ResetAccountPasswordResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ResetAccountPasswordRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
