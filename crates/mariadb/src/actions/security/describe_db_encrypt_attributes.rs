//! `mariadb:DescribeDBEncryptAttributes`: whether an instance's files are encrypted, and with which key, itself encrypted. It does not expire.

use rookery_api::mariadb::{DescribeDBEncryptAttributesRequest, DescribeDBEncryptAttributesResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::encryption;
use crate::error::Error;
use crate::instances;
use crate::moments::NEVER;

pub(crate) async fn describe_db_encrypt_attributes(
    mariadb: &MariaDb,
    call: Call<DescribeDBEncryptAttributesRequest>,
) -> Result<DescribeDBEncryptAttributesResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id);
    let row = mariadb.store.read(|view| instances::existing(view, &scope, id))?;
    let encryption = row.security.encryption.as_ref().filter(|encryption| encryption.on);
    let cipher_text = encryption.map(|encryption| encryption::cipher_text(&encryption.key)).transpose()?;
    Ok(DescribeDBEncryptAttributesResponse {
        encrypt_status: i64::from(encryption.is_some()),
        cipher_text: cipher_text.unwrap_or_default(),
        expire_date: encryption.map(|_| NEVER.to_owned()).unwrap_or_default(),
    })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<DescribeDBEncryptAttributesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
