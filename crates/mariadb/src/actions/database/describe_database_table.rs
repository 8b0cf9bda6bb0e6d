//! `mariadb:DescribeDatabaseTable`: the columns of a table.

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{DescribeDatabaseTableRequest, DescribeDatabaseTableResponse, TableColumn};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::sql;

pub(crate) async fn describe_database_table(
    mariadb: &MariaDb,
    call: Call<DescribeDatabaseTableRequest>,
) -> Result<DescribeDatabaseTableResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let mut server = mariadb.primary(&id, &row).await?;
    let question = format!(
        "SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} ORDER BY ORDINAL_POSITION",
        sql::text(&request.db_name),
        sql::text(&request.table)
    );
    let rows = server.query(&question).await?;
    if rows.rows.is_empty() {
        return Err(Error::refuse(
            ErrorCode::InternalErrorGetTableInfoFailed,
            format!("The table `{}`.`{}` does not exist.", request.db_name, request.table),
            format!("表 `{}`.`{}` 不存在。", request.db_name, request.table),
        ));
    }
    let cols = rows
        .rows
        .iter()
        .map(|row| TableColumn { col: rows.cell(row, "name"), r#type: rows.cell(row, "type") });
    let cols = cols.collect();
    Ok(DescribeDatabaseTableResponse {
        instance_id: id,
        db_name: request.db_name,
        table: request.table,
        cols,
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDatabaseTableRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
