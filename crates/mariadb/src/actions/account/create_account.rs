//! `mariadb:CreateAccount`: a new account.

use rookery_api::mariadb::{CreateAccountRequest, CreateAccountResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, AccountRow, Name};
use crate::error::Error;
use crate::instances;
use crate::sql;

pub(crate) async fn create_account(
    mariadb: &MariaDb,
    call: Call<CreateAccountRequest>,
) -> Result<CreateAccountResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    let name = Name::new(&request.user_name, &request.host, &mariadb.installation()?.user)?;
    let password = accounts::password(request.password.as_deref(), request.encrypted_password.as_deref())?;
    let description = accounts::description(request.description.as_deref())?;
    let read_only = request.read_only.unwrap_or_default();
    match read_only {
        0 | 1 => {}
        2 | 3 => {
            return Err(Error::unsupported("accounts that are led to standbys only (`ReadOnly` 2 and 3)"));
        }
        _ => return Err(Error::invalid("ReadOnly", "must be 0 to 3")),
    }
    if request.delay_thresh.is_some_and(|delay| delay != 0)
        || request.slave_const.is_some_and(|fixed| fixed != 0)
    {
        return Err(Error::unsupported("choosing a standby by account (`DelayThresh`, `SlaveConst`)"));
    }
    let alone = mariadb.lock(&id);
    let _alone = alone.lock().await;
    // Who is the primary may have changed meanwhile.
    let row = mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    if mariadb.store.read(|view| accounts::find(view, &id, &name))?.is_some() {
        return Err(name.taken());
    }
    let connections = request.max_user_connections.unwrap_or_default();
    let mut server = mariadb.primary(&id, &row).await?;
    // One that is there without a row is left from a call that was cut off before it was answered.
    let statement = format!(
        "CREATE OR REPLACE USER {} IDENTIFIED BY {} WITH MAX_USER_CONNECTIONS {connections}",
        name.sql(),
        sql::text(&password)
    );
    server.run(&statement).await?;
    let (Name { user, host }, instance) = (name.clone(), id.clone());
    let account = AccountRow { user, host, description, read_only, created: now, updated: now };
    mariadb.store.write(move |tx| accounts::put(tx, &instance, &account)).await?;
    Ok(CreateAccountResponse { instance_id: id, user_name: name.user, host: name.host, read_only })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<CreateAccountRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
