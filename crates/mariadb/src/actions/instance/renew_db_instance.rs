//! `mariadb:RenewDBInstance`: more months for an instance that is paid in advance; one that was isolated is activated.

use std::sync::Arc;

use rookery_api::mariadb::{RenewDBInstanceRequest, RenewDBInstanceResponse};
use rookery_gateway::{Call, Resource};

use crate::MariaDb;
use crate::error::Error;
use crate::flows::{self, Work};
use crate::instances::{self, Phase};
use crate::ordering::{no_vouchers, pay_mode, prepayment};
use crate::orders::{self, OrderRow};

pub(crate) async fn renew_db_instance(
    mariadb: &Arc<MariaDb>,
    call: Call<RenewDBInstanceRequest>,
) -> Result<RenewDBInstanceResponse, Error> {
    let (scope, now) = (instances::scope(&call), mariadb.now());
    let request = call.request;
    let id = instances::clean(&request.instance_id).to_owned();
    let months = prepayment(Some(request.period))?;
    no_vouchers(request.voucher_ids.as_deref(), request.auto_voucher)?;
    let (deal_name, flow) = mariadb
        .store
        .write(move |tx| {
            let mut row = instances::existing(tx, &scope, &id)?;
            if row.flow != 0 {
                return Err(Error::locked(&id, row.flow));
            }
            let Some(prepaid) = &mut row.prepaid else { return Err(pay_mode(&id)) };
            prepaid.until = prepaid.until.max(now).plus_months(months);
            let isolated = row.phase == Phase::Isolated;
            instances::put(tx, &scope, &id, row, now)?;
            let flow = if isolated {
                flows::begin(tx, &scope, std::slice::from_ref(&id), &Work::Activate)?
            } else {
                0
            };
            let order = OrderRow { count: 1, flow, instances: None, prepaid: true };
            Ok((orders::place(tx, scope.uin, now, &order)?, flow))
        })
        .await?;
    if flow != 0 {
        mariadb.work(flow);
    }
    Ok(RenewDBInstanceResponse { deal_name })
}

pub(crate) fn resources(_: &MariaDb, call: &Call<RenewDBInstanceRequest>) -> Vec<Resource> {
    instances::resource(&call.request.instance_id)
}
