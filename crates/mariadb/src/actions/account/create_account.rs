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
    if !(0..=3).contains(&read_only) {
        return Err(Error::invalid("ReadOnly", "must be 0 to 3"));
    }
    let (delay, fixed) = standby(request.delay_thresh, request.slave_const, read_only != 0)?;
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
    let account = AccountRow { user, host, description, read_only, delay, fixed, created: now, updated: now };
    mariadb.store.write(move |tx| accounts::put(tx, &instance, &account)).await?;
    Ok(CreateAccountResponse { instance_id: id, user_name: name.user, host: name.host, read_only })
}

/// How far its standby may be behind, and whether its connections end with that: for accounts that only read.
fn standby(delay: Option<i64>, fixed: Option<i64>, reads_only: bool) -> Result<(i64, bool), Error> {
    let (delay, fixed) = (delay.unwrap_or_default(), fixed.unwrap_or_default());
    if delay < 0 || (delay != 0 && !reads_only) {
        return Err(Error::invalid("DelayThresh", "must not be negative, and is for read-only accounts"));
    }
    match fixed {
        0 => Ok((delay, false)),
        1 if reads_only => Ok((delay, true)),
        _ => Err(Error::invalid("SlaveConst", "must be 0 or 1, and is for read-only accounts")),
    }
}

pub(crate) fn resources(_: &MariaDb, call: &Call<CreateAccountRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_is_chosen_for_accounts_that_read() {
        assert_eq!(standby(None, None, false).unwrap(), (0, false));
        assert_eq!(standby(Some(5), Some(1), true).unwrap(), (5, true));
        for (delay, fixed, reads_only) in [(5, 0, false), (0, 1, false), (-1, 0, true), (0, 2, true)] {
            assert!(standby(Some(delay), Some(fixed), reads_only).is_err(), "{delay} {fixed} {reads_only}");
        }
    }
}
