//! `mariadb:DescribeDatabases`: the databases of an instance.

use rookery_api::mariadb::{Database, DescribeDatabasesRequest, DescribeDatabasesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_databases(
    mariadb: &MariaDb,
    call: Call<DescribeDatabasesRequest>,
) -> Result<DescribeDatabasesResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let mut server = mariadb.primary(&id, &row).await?;
    // The server's views of itself are no databases that anybody made.
    let question = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA \
                    WHERE SCHEMA_NAME NOT IN ('information_schema', 'performance_schema', 'sys') ORDER BY SCHEMA_NAME";
    let names = server.query(question).await?.into_texts();
    let databases = names.into_iter().map(|db_name| Database { db_name }).collect();
    Ok(DescribeDatabasesResponse { databases, instance_id: id })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDatabasesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
