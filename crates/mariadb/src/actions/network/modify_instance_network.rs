//! `mariadb:ModifyInstanceNetwork`: an instance belongs to another VPC and subnet, and gets another address. VPCs and subnets are names here.

use std::net::SocketAddr;
use std::sync::Arc;

use rookery_api::mariadb::{ModifyInstanceNetworkRequest, ModifyInstanceNetworkResponse};
use rookery_gateway::{Call, Resource};

use rookery_store::Transaction;

use crate::MariaDb;
use crate::changes::{Change, Move};
use crate::error::Error;
use crate::instances::{self, InstanceRow};
use crate::network::{chosen, free, kept_until, no_ipv6, unchanged, vip_used};
use crate::orders::signed;

pub(crate) async fn modify_instance_network(
    mariadb: &Arc<MariaDb>,
    call: Call<ModifyInstanceNetworkRequest>,
) -> Result<ModifyInstanceNetworkResponse, Error> {
    let scope = instances::scope(&call);
    let id = instances::clean(&call.request.instance_id).to_owned();
    let request = call.request;
    no_ipv6(request.vipv6.is_some_and(|address| !address.is_empty()))?;
    let keep = kept_until(request.vip_release_delay, mariadb.now())?;
    let (vpc, subnet) = (request.vpc_id, request.subnet_id);
    if vpc.is_empty() || subnet.is_empty() {
        return Err(Error::invalid("VpcId", "must not be empty, and neither may `SubnetId`"));
    }
    let row = mariadb.store.read(|view| instances::usable(view, &scope, &id))?;
    let wanted = request.vip.as_deref().filter(|vip| !vip.is_empty()).map(chosen).transpose()?;
    let address = match wanted {
        Some(ip) => SocketAddr::new(ip, row.address.port()),
        None => mariadb.new_address(&row)?,
    };
    let instance = id.clone();
    let prepare = move |tx: &Transaction<'_>, row: &mut InstanceRow| {
        if (&row.vpc, &row.subnet) == (&vpc, &subnet) && wanted.is_none_or(|ip| ip == row.address.ip()) {
            return Err(unchanged());
        }
        if address != row.address {
            free(tx, &instance, address, vip_used)?;
        }
        Ok(Change::Move(Move { address, vpc: vpc.clone(), subnet: subnet.clone(), keep }))
    };
    let flow = mariadb.begin_change(scope, id, prepare).await?;
    Ok(ModifyInstanceNetworkResponse { flow_id: signed(flow) })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<ModifyInstanceNetworkRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
