//! `mariadb:DeleteAccount`: an account is dropped.

use rookery_api::mariadb::{DeleteAccountRequest, DeleteAccountResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, Name};
use crate::error::Error;
use crate::instances;

pub(crate) async fn delete_account(
    mariadb: &MariaDb,
    call: Call<DeleteAccountRequest>,
) -> Result<DeleteAccountResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    let name = Name::of(&request.user_name, &request.host);
    let alone = mariadb.lock(&id);
    let _alone = alone.lock().await;
    // Who is the primary may have changed meanwhile.
    let row = mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    mariadb.store.read(|view| accounts::existing(view, &id, &name))?;
    let mut server = mariadb.primary(&id, &row).await?;
    server.run(&format!("DROP USER IF EXISTS {}", name.sql())).await?;
    mariadb.store.write(move |tx| accounts::delete(tx, &id, &name)).await?;
    Ok(DeleteAccountResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DeleteAccountRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
