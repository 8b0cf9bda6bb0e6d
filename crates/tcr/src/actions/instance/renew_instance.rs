//! `tcr:RenewInstance`: pay in advance, again or from now on.

use rookery_api::tcr::{ErrorCode, RenewInstanceRequest, RenewInstanceResponse};
use rookery_gateway::{Call, Resource};

use super::create_instance::read_prepaid;
use crate::Tcr;
use crate::actions;
use crate::error::{Error, Rule};
use crate::instances::{self, Prepaid};

const FLAG: Rule = Rule {
    english: "must be 0 for an instance that is paid in advance, or 1 for one that is paid by use",
    chinese: "预付费实例须为0，后付费实例须为1",
};

/// `Flag` 0 adds the months to the time that is paid for, also where that is over: an isolated instance runs again. 1 turns an instance
/// that is paid by use into one that is paid in advance.
pub(crate) async fn renew_instance(
    tcr: &Tcr,
    call: Call<RenewInstanceRequest>,
) -> Result<RenewInstanceResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    let flag = request.flag;
    let charge = read_prepaid(&request.registry_charge_prepaid, now)?;
    let id = request.registry_id.clone();
    tcr.change_access(move |tx| {
            let mut instance = instances::existing(tx, &scope, &id, instances::RENEW)?;
            let until = match (flag, instance.row.prepaid) {
                (0, Some(paid)) => paid.paid_until(now).max(now).plus_months(charge.months),
                (1, None) => charge.until,
                _ => {
                    let code = ErrorCode::InvalidParameter;
                    return Err(Error::Invalid { parameter: "Flag", rule: FLAG, code });
                }
            };
            instance.row.prepaid = Some(Prepaid { until, ..charge });
            Ok(instance.put(tx)?)
        })
        .await?;
    Ok(RenewInstanceResponse { registry_id: request.registry_id })
}

pub(crate) fn resources(_: &Tcr, call: &Call<RenewInstanceRequest>) -> Vec<Resource> {
    actions::on_instance(&call.request.registry_id)
}
