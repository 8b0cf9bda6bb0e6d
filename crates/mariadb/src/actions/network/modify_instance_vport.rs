//! `mariadb:ModifyInstanceVport`: an instance gets another port inside; the former is closed at once, with the connections through it. Answered when that is done.

use std::net::SocketAddr;
use std::sync::Arc;

use rookery_api::mariadb::{ModifyInstanceVportRequest, ModifyInstanceVportResponse};
use rookery_gateway::{Call, Resource};

use rookery_store::Transaction;

use crate::MariaDb;
use crate::changes::{Change, Move};
use crate::error::Error;
use crate::instances::{self, InstanceRow};
use crate::network::{free, port_used};

pub(crate) async fn modify_instance_vport(
    mariadb: &Arc<MariaDb>,
    call: Call<ModifyInstanceVportRequest>,
) -> Result<ModifyInstanceVportResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    // Those below need a privilege.
    let port = u16::try_from(call.request.vport).ok().filter(|port| *port >= 1024);
    let port = port.ok_or_else(|| Error::invalid("Vport", "must be 1024 to 65535"))?;
    let instance = id.clone();
    let prepare = move |tx: &Transaction<'_>, row: &mut InstanceRow| {
        let address = SocketAddr::new(row.address.ip(), port);
        if address == row.address {
            return Err(port_used(address));
        }
        free(tx, &instance, address, port_used)?;
        let (vpc, subnet) = (row.vpc.clone(), row.subnet.clone());
        Ok(Change::Move(Move { address, vpc, subnet, keep: None }))
    };
    let flow = mariadb.begin_change(scope, id, prepare).await?;
    mariadb.end_of(flow).await?;
    Ok(ModifyInstanceVportResponse {})
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyInstanceVportRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
