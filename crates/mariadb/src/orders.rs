//! Orders: a name for what was bought, by which the flow and the instances of it are found.

use rookery_api::mariadb::Deal;
use rookery_store::{Account, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::flows;
use crate::moments::Moment;

/// The orders of an account, by name.
pub(crate) struct Orders;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrderRow {
    pub(crate) count: i64,
    /// 0 for what was done at once.
    pub(crate) flow: u64,
    /// What was created; `None` for a renewal or an upgrade.
    pub(crate) instances: Option<Vec<String>>,
    pub(crate) prepaid: bool,
}

impl Table for Orders {
    const NAME: &'static str = "mariadb.orders";
    type Scope = Account;
    type Key = String;
    type Row = OrderRow;
}

/// Writes an order; its name is the moment and a number, in digits.
pub(crate) fn place(
    tx: &mut Transaction<'_>,
    uin: u64,
    now: Moment,
    row: &OrderRow,
) -> Result<String, Error> {
    let name = format!("{}{}", now.digits(), flows::count(tx, "order")?);
    tx.insert::<Orders>(&Account { uin }, &name, row)?;
    Ok(name)
}

impl OrderRow {
    pub(crate) fn describe(self, name: String, uin: u64) -> Deal {
        Deal {
            deal_name: name,
            owner_uin: uin.to_string(),
            count: self.count,
            flow_id: signed(self.flow),
            instance_ids: self.instances,
            pay_mode: i64::from(self.prepaid),
        }
    }
}

/// Numbers of flows are signed on the wire.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
