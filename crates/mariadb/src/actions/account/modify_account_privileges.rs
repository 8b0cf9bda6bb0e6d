//! `mariadb:ModifyAccountPrivileges`: the privileges of accounts at any mix of levels are set; a level that is not named stays.

use rookery_api::mariadb::{ModifyAccountPrivilegesRequest, ModifyAccountPrivilegesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, Name};
use crate::error::Error;
use crate::instances;
use crate::orders::signed;
use crate::privileges::Level;

pub(crate) async fn modify_account_privileges(
    mariadb: &MariaDb,
    call: Call<ModifyAccountPrivilegesRequest>,
) -> Result<ModifyAccountPrivilegesResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let alone = mariadb.lock(&id);
    let _alone = alone.lock().await;
    let row = mariadb.store.read(|view| instances::writable(view, &scope, &id))?;
    let mut levels: Vec<(Level, Vec<String>)> = Vec::new();
    levels.extend(request.global_privileges.map(|privileges| (Level::Global, privileges)));
    for one in request.database_privileges.unwrap_or_default() {
        levels.push((Level::Database(one.database), one.privileges));
    }
    for one in request.table_privileges.unwrap_or_default() {
        levels.push((Level::Table { database: one.database, table: one.table }, one.privileges));
    }
    for one in request.view_privileges.unwrap_or_default() {
        levels.push((Level::Table { database: one.database, table: one.view }, one.privileges));
    }
    for one in request.column_privileges.unwrap_or_default() {
        let level = Level::Column { database: one.database, table: one.table, column: one.column };
        levels.push((level, one.privileges));
    }
    for one in request.function_privileges.unwrap_or_default() {
        let level = Level::Routine { database: one.database, routine: one.function_name, function: true };
        levels.push((level, one.privileges));
    }
    for one in request.procedure_privileges.unwrap_or_default() {
        let level = Level::Routine { database: one.database, routine: one.procedure, function: false };
        levels.push((level, one.privileges));
    }
    // Everything is checked before anything is granted.
    let mut work = Vec::new();
    for account in &request.accounts {
        let name = Name::of(&account.user, &account.host);
        let known = mariadb.store.read(|view| accounts::existing(view, &id, &name))?;
        for (level, privileges) in &levels {
            work.push((name.clone(), level.clone(), level.check(privileges, known.read_only != 0)?));
        }
    }
    if request.accounts.is_empty() {
        return Err(Error::invalid("Accounts", "must name an account"));
    }
    let mut server = mariadb.primary(&id, &row).await?;
    for (name, level, wanted) in work {
        level.set(&mut server, &name, &wanted).await?;
    }
    Ok(ModifyAccountPrivilegesResponse { flow_id: signed(mariadb.done(scope, id).await?) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyAccountPrivilegesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
