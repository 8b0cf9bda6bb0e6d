//! `mariadb:CloneAccount`: a new account with the privileges and the password of another.

use rookery_api::mariadb::{CloneAccountRequest, CloneAccountResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, AccountRow, Name};
use crate::error::Error;
use crate::instances;
use crate::sql;

pub(crate) async fn clone_account(
    mariadb: &MariaDb,
    call: Call<CloneAccountRequest>,
) -> Result<CloneAccountResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    let from = Name::of(&request.src_user, &request.src_host);
    let to = Name::new(&request.dst_user, &request.dst_host, &mariadb.installation()?.user)?;
    let description = accounts::description(request.dst_desc.as_deref())?;
    let alone = mariadb.lock(&id);
    let _alone = alone.lock().await;
    // Who is the primary may have changed meanwhile.
    let row = mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    let source = mariadb.store.read(|view| accounts::existing(view, &id, &from))?;
    if mariadb.store.read(|view| accounts::find(view, &id, &to))?.is_some() {
        return Err(to.taken());
    }
    let mut server = mariadb.primary(&id, &row).await?;
    let question = format!(
        "SELECT authentication_string AS hash, max_user_connections AS most FROM mysql.user WHERE User = {} AND Host = {}",
        sql::text(&from.user),
        sql::text(&from.host)
    );
    let known = server.query(&question).await?;
    let statement = format!(
        "CREATE OR REPLACE USER {} IDENTIFIED BY PASSWORD {} WITH MAX_USER_CONNECTIONS {}",
        to.sql(),
        sql::text(&known.first("hash")),
        known.first("most")
    );
    server.run(&statement).await?;
    accounts::copy_rights(&mut server, &from, &to).await?;
    let account = AccountRow {
        user: to.user,
        host: to.host,
        description,
        read_only: source.read_only,
        delay: source.delay,
        fixed: source.fixed,
        created: now,
        updated: now,
    };
    let instance = id.clone();
    mariadb.store.write(move |tx| accounts::put(tx, &instance, &account)).await?;
    Ok(CloneAccountResponse { flow_id: mariadb.done(scope, id).await? })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<CloneAccountRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
