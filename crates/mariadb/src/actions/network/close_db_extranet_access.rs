//! `mariadb:CloseDBExtranetAccess`: an instance cannot be reached at its public address any more, and connections through it end.

use std::sync::Arc;

use rookery_api::mariadb::{CloseDBExtranetAccessRequest, CloseDBExtranetAccessResponse};
use rookery_gateway::{Call, Resource};

use rookery_store::Transaction;

use crate::MariaDb;
use crate::changes::Change;
use crate::error::Error;
use crate::instances::{self, InstanceRow};
use crate::network::{NOTHING_TO_DO, no_ipv6};
use crate::orders::signed;

pub(crate) async fn close_db_extranet_access(
    mariadb: &Arc<MariaDb>,
    call: Call<CloseDBExtranetAccessRequest>,
) -> Result<CloseDBExtranetAccessResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    no_ipv6(call.request.ipv6_flag.unwrap_or_default() != 0)?;
    if !mariadb.store.read(|view| instances::usable(view, &scope, &id))?.network.is_public() {
        return Ok(CloseDBExtranetAccessResponse { flow_id: NOTHING_TO_DO });
    }
    let prepare = |_: &Transaction<'_>, _: &mut InstanceRow| Ok(Change::Public(false));
    let flow = mariadb.begin_change(scope, id, prepare).await?;
    Ok(CloseDBExtranetAccessResponse { flow_id: signed(flow) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<CloseDBExtranetAccessRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
