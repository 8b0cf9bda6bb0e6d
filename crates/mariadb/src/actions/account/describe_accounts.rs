//! `mariadb:DescribeAccounts`: the accounts of an instance.

use rookery_api::mariadb::{DBAccount, DescribeAccountsRequest, DescribeAccountsResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, AccountRow};
use crate::error::Error;
use crate::instances;

pub(crate) async fn describe_accounts(
    mariadb: &MariaDb,
    call: Call<DescribeAccountsRequest>,
) -> Result<DescribeAccountsResponse, Error> {
    let scope = instances::scope(&call);
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let rows = mariadb.store.read(|view| accounts::list(view, row.keeper_of_accounts(&id)))?;
    let mut server = mariadb.primary(&id, &row).await?;
    let limits = server.query("SELECT User, Host, max_user_connections AS most FROM mysql.user").await?;
    let limit = |account: &AccountRow| {
        let same = |row: &&Vec<Option<String>>| {
            limits.cell(row, "User") == account.user && limits.cell(row, "Host") == account.host
        };
        let most = limits.rows.iter().find(same).map(|row| limits.cell(row, "most"));
        most.and_then(|most| most.parse().ok()).unwrap_or_default()
    };
    let users = rows.into_iter().map(|account| DBAccount {
        max_user_connections: limit(&account),
        user_name: account.user,
        host: account.host,
        description: account.description,
        create_time: account.created.text(),
        update_time: account.updated.text(),
        read_only: account.read_only,
        delay_thresh: account.delay,
        slave_const: i64::from(account.fixed),
    });
    let users = users.collect();
    Ok(DescribeAccountsResponse { instance_id: id, users })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeAccountsRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
