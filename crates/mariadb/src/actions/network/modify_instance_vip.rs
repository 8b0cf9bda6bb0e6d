//! `mariadb:ModifyInstanceVip`: an instance gets another address inside; the former leads to it for as long as it is kept.

use std::net::SocketAddr;
use std::sync::Arc;

use rookery_api::mariadb::{ModifyInstanceVipRequest, ModifyInstanceVipResponse};
use rookery_gateway::{Call, Resource};

use rookery_store::Transaction;

use crate::MariaDb;
use crate::changes::{Change, Move};
use crate::error::Error;
use crate::instances::{self, InstanceRow};
use crate::network::{chosen, free, kept_until, no_ipv6, unchanged, vip_used};
use crate::orders::signed;

pub(crate) async fn modify_instance_vip(
    mariadb: &Arc<MariaDb>,
    call: Call<ModifyInstanceVipRequest>,
) -> Result<ModifyInstanceVipResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    no_ipv6(call.request.ipv6_flag.unwrap_or_default() != 0)?;
    let keep = kept_until(call.request.vip_release_delay, mariadb.now())?;
    mariadb.store.read(|view| instances::existing(view, &scope, &id))?;
    let ip = chosen(&call.request.vip)?;
    let instance = id.clone();
    let prepare = move |tx: &Transaction<'_>, row: &mut InstanceRow| {
        if ip == row.address.ip() {
            return Err(unchanged());
        }
        let address = SocketAddr::new(ip, row.address.port());
        free(tx, &instance, address, vip_used)?;
        let (vpc, subnet) = (row.vpc.clone(), row.subnet.clone());
        Ok(Change::Move(Move { address, vpc, subnet, keep }))
    };
    let flow = mariadb.begin_change(scope, id, prepare).await?;
    Ok(ModifyInstanceVipResponse { flow_id: signed(flow) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyInstanceVipRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
