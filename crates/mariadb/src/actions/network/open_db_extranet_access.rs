//! `mariadb:OpenDBExtranetAccess`: an instance can be reached at its public address, which is where the operator says (`--mariadb-public-address`), and on this machine only where nothing is said.

use std::sync::Arc;

use rookery_api::mariadb::{OpenDBExtranetAccessRequest, OpenDBExtranetAccessResponse};
use rookery_gateway::{Call, Resource};

use rookery_store::Transaction;

use crate::MariaDb;
use crate::changes::Change;
use crate::error::Error;
use crate::instances::{self, InstanceRow};
use crate::network::{NOTHING_TO_DO, Public, PublicState, no_ipv6};
use crate::orders::signed;

pub(crate) async fn open_db_extranet_access(
    mariadb: &Arc<MariaDb>,
    call: Call<OpenDBExtranetAccessRequest>,
) -> Result<OpenDBExtranetAccessResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    no_ipv6(call.request.ipv6_flag.unwrap_or_default() != 0)?;
    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    if row.network.is_public() {
        return Ok(OpenDBExtranetAccessResponse { flow_id: NOTHING_TO_DO });
    }
    let port = mariadb.public_port(row.network.public.map(|public| public.port))?;
    let prepare = move |_: &Transaction<'_>, row: &mut InstanceRow| {
        row.network.public = Some(Public { port, state: PublicState::Closed });
        Ok(Change::Public(true))
    };
    let flow = mariadb.begin_change(scope, id, prepare).await?;
    Ok(OpenDBExtranetAccessResponse { flow_id: signed(flow) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<OpenDBExtranetAccessRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
