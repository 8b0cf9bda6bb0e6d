//! `mariadb:ModifyDBEncryptAttributes`: an instance's files are encrypted from now on. Answered when its servers, which start anew, are up again; what was written before is encrypted in the background.

use std::sync::Arc;

use rookery_api::mariadb::{ModifyDBEncryptAttributesRequest, ModifyDBEncryptAttributesResponse};
use rookery_gateway::{Call, Resource};

use rookery_store::Transaction;

use crate::MariaDb;
use crate::changes::Change;
use crate::error::Error;
use crate::instances::{self, InstanceRow};

pub(crate) async fn modify_db_encrypt_attributes(
    mariadb: &Arc<MariaDb>,
    call: Call<ModifyDBEncryptAttributesRequest>,
) -> Result<ModifyDBEncryptAttributesResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    match (call.request.encrypt_enabled, row.security.encrypts()) {
        (1, false) => {}
        // Terraform's provider sends what is there already.
        (0, false) | (1, true) => return Ok(ModifyDBEncryptAttributesResponse {}),
        _ => return Err(Error::invalid("EncryptEnabled", "must be 1: encryption cannot be switched off")),
    }
    mariadb.can_encrypt(&id, &row).await?;
    let new = mariadb.new_key()?;
    let prepare = move |_: &Transaction<'_>, row: &mut InstanceRow| {
        // A key that is there has been used.
        row.security.encryption.get_or_insert_with(|| new.clone());
        Ok(Change::Encrypt)
    };
    let flow = mariadb.begin_change(scope, id, prepare).await?;
    mariadb.end_of(flow).await?;
    Ok(ModifyDBEncryptAttributesResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyDBEncryptAttributesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
