//! `mariadb:ModifyAccountDescription`: another note on an account.

use rookery_api::mariadb::{ModifyAccountDescriptionRequest, ModifyAccountDescriptionResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::accounts::{self, Name};
use crate::error::Error;
use crate::instances;

pub(crate) async fn modify_account_description(
    mariadb: &MariaDb,
    call: Call<ModifyAccountDescriptionRequest>,
) -> Result<ModifyAccountDescriptionResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();

    let name = Name::of(&request.user_name, &request.host);
    let description = accounts::description(Some(&request.description))?;
    mariadb
        .store
        .write(move |tx| {
            instances::writable(tx, &scope, &id)?;
            let mut account = accounts::existing(tx, &id, &name)?;
            (account.description, account.updated) = (description.clone(), now);
            accounts::put(tx, &id, &account)
        })
        .await?;
    Ok(ModifyAccountDescriptionResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyAccountDescriptionRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
