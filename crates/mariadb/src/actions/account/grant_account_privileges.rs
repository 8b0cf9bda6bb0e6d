//! `mariadb:GrantAccountPrivileges`: the privileges of an account at one level are set.

use rookery_api::mariadb::{GrantAccountPrivilegesRequest, GrantAccountPrivilegesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, Name};
use crate::error::Error;
use crate::instances;
use crate::privileges::Level;

pub(crate) async fn grant_account_privileges(
    mariadb: &MariaDb,
    call: Call<GrantAccountPrivilegesRequest>,
) -> Result<GrantAccountPrivilegesResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let alone = mariadb.lock(&id);
    let _alone = alone.lock().await;
    let row = mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    let name = Name::of(&request.user_name, &request.host);
    let (kind, object, column) =
        (request.r#type.as_deref(), request.object.as_deref(), request.col_name.as_deref());
    let level = Level::addressed(&request.db_name, kind, object, column)?;
    let account = mariadb.store.read(|view| accounts::existing(view, &id, &name))?;
    let wanted = level.check(&request.privileges, account.read_only != 0)?;
    let mut server = mariadb.primary(&id, &row).await?;
    level.set(&mut server, &name, &wanted).await?;
    Ok(GrantAccountPrivilegesResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<GrantAccountPrivilegesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
