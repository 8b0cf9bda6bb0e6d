//! `mariadb:ModifyInstanceSSLAttributes`: TLS is switched on or off. The servers start anew, so connections end; `DescribeInstanceSSLAttributes` tells when it is done. The certificate is made by the cloud's authority, whose own certificate `rookery ca print` gives.

use std::sync::Arc;

use rookery_api::mariadb::{
    ErrorCode, ModifyInstanceSSLAttributesRequest, ModifyInstanceSSLAttributesResponse,
};
use rookery_gateway::{Call, Resource};

use rookery_store::Transaction;

use crate::MariaDb;
use crate::changes::Change;
use crate::error::Error;
use crate::instances::{self, InstanceRow};
use crate::security::Tls;

pub(crate) async fn modify_instance_ssl_attributes(
    mariadb: &Arc<MariaDb>,
    call: Call<ModifyInstanceSSLAttributesRequest>,
) -> Result<ModifyInstanceSSLAttributesResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let on = match call.request.ssl_enabled {
        0 => false,
        1 => true,
        _ => return Err(Error::invalid("SSLEnabled", "must be 0 or 1")),
    };
    mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    if on {
        mariadb.authority()?;
    }
    let prepare = move |_: &Transaction<'_>, row: &mut InstanceRow| match (on, row.security.tls) {
        (true, Tls::Off) | (false, Tls::On) => Ok(Change::Tls(on)),
        (_, now) => Err(Error::refuse(
            ErrorCode::ResourceUnavailableSSLStatusAbnormal,
            format!("TLS is in the status {} already.", now.status()),
            format!("SSL 当前状态为 {}，无需变更。", now.status()),
        )),
    };
    mariadb.begin_change(scope, id, prepare).await?;
    Ok(ModifyInstanceSSLAttributesResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyInstanceSSLAttributesRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
