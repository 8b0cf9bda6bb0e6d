//! `mariadb:DescribeDatabaseObjects`: the tables, views, procedures and functions of a database.

use rookery_api::mariadb::ErrorCode;
use rookery_api::mariadb::{
    DatabaseFunction, DatabaseProcedure, DatabaseTable, DatabaseView, DescribeDatabaseObjectsRequest,
    DescribeDatabaseObjectsResponse,
};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;
use crate::sql::{self, Rows};

pub(crate) async fn describe_database_objects(
    mariadb: &MariaDb,
    call: Call<DescribeDatabaseObjectsRequest>,
) -> Result<DescribeDatabaseObjectsResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let mut server = mariadb.primary(&id, &row).await?;
    let database = sql::text(&request.db_name);
    let known = format!("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {database}");
    if server.query(&known).await?.rows.is_empty() {
        return Err(Error::refuse(
            ErrorCode::InternalErrorGetDbObjectFailed,
            format!("The database `{}` does not exist.", request.db_name),
            format!("数据库 `{}` 不存在。", request.db_name),
        ));
    }
    let mut names = async |column: &str, table: &str, schema: &str, kind: &str, value: &str| {
        let question = format!(
            "SELECT {column} FROM information_schema.{table} WHERE {schema} = {database} AND {kind} = '{value}' ORDER BY {column}"
        );
        server.query(&question).await.map(Rows::into_texts)
    };
    let tables = names("TABLE_NAME", "TABLES", "TABLE_SCHEMA", "TABLE_TYPE", "BASE TABLE").await?;
    let views = names("TABLE_NAME", "TABLES", "TABLE_SCHEMA", "TABLE_TYPE", "VIEW").await?;
    let procs = names("ROUTINE_NAME", "ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_TYPE", "PROCEDURE").await?;
    let funcs = names("ROUTINE_NAME", "ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_TYPE", "FUNCTION").await?;
    Ok(DescribeDatabaseObjectsResponse {
        instance_id: id,
        db_name: request.db_name,
        tables: tables.into_iter().map(|table| DatabaseTable { table }).collect(),
        views: views.into_iter().map(|view| DatabaseView { view }).collect(),
        procs: procs.into_iter().map(|proc| DatabaseProcedure { proc }).collect(),
        funcs: funcs.into_iter().map(|func| DatabaseFunction { func }).collect(),
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDatabaseObjectsRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
