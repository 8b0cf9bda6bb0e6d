//! `mariadb:DescribeAccountPrivileges`: the privileges of an account at one level.

use rookery_api::mariadb::{DescribeAccountPrivilegesRequest, DescribeAccountPrivilegesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, Name};
use crate::error::Error;
use crate::instances;
use crate::privileges::Level;

pub(crate) async fn describe_account_privileges(
    mariadb: &MariaDb,
    call: Call<DescribeAccountPrivilegesRequest>,
) -> Result<DescribeAccountPrivilegesResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let name = Name::of(&request.user_name, &request.host);
    let (kind, object, column) =
        (request.r#type.as_deref(), request.object.as_deref(), request.col_name.as_deref());
    let level = Level::addressed(&request.db_name, kind, object, column)?;
    mariadb.store.read(|view| accounts::existing(view, row.keeper_of_accounts(&id), &name))?;
    let mut server = mariadb.primary(&id, &row).await?;
    let privileges = level.read(&mut server, &name).await?;
    Ok(DescribeAccountPrivilegesResponse {
        instance_id: id,
        privileges,
        user_name: name.user,
        host: name.host,
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeAccountPrivilegesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
