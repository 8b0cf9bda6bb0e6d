//! `tcr:CreateInstance`: a new instance.

use rookery_api::tcr::{CreateInstanceRequest, CreateInstanceResponse, ErrorCode, RegistryChargePrepaid};
use rookery_gateway::{Call, Resource};
use rookery_store::{Read, Scan};

use crate::Tcr;
use crate::cloud_tags::{CloudTags, Tagged};
use crate::editions::Edition;
use crate::error::{Counted, Error, Rule};
use crate::instances::{self, Instance, InstanceRow, Instances, Prepaid};
use crate::moments::Moment;
use crate::names::{self, InstanceNameFault};

const EDITION: Rule =
    Rule { english: "must be `basic`, `standard` or `premium`", chinese: "取值须为basic、standard或premium" };
const CHARGE: Rule = Rule { english: "must be 0 or 1", chinese: "取值须为0或1" };
const PERIOD: Rule = Rule { english: "must be 1 to 60 months", chinese: "购买时长须为1-60个月" };
const RENEWAL: Rule = Rule { english: "must be 0, 1 or 2", chinese: "取值须为0、1或2" };

/// Names are told apart by their fault. The instance walks through `Pending` and `Deploying` to `Running` by the clock.
pub(crate) async fn create_instance(
    tcr: &Tcr,
    call: Call<CreateInstanceRequest>,
) -> Result<CreateInstanceResponse, Error> {
    let (scope, now) = (instances::scope(&call), tcr.now());
    let request = call.request;
    match names::instance(&request.registry_name) {
        Ok(()) => {}
        Err(InstanceNameFault::Illegal) => return Err(Error::InstanceNameIllegal(request.registry_name)),
        Err(InstanceNameFault::Reserved) => return Err(Error::InstanceNameReserved(request.registry_name)),
    }
    let edition = Edition::parse(&request.registry_type).ok_or_else(|| invalid("RegistryType", EDITION))?;
    let prepaid = prepaid(request.registry_charge_type, request.registry_charge_prepaid, now)?;
    let deploying_at = now.plus(tcr.pending);
    let row = InstanceRow {
        name: request.registry_name,
        edition,
        created_at: now,
        deploying_at,
        running_at: deploying_at.plus(tcr.deploying),
        prepaid,
        tags: CloudTags::from_request(request.tag_specification, Tagged::Instance)?,
        sync_tag: request.sync_tag.unwrap_or(false),
        deletion_protection: request.deletion_protection.unwrap_or(false),
        cos_maz: request.enable_cos_maz.unwrap_or(false),
        cos_versioning: request.enable_cos_versioning.unwrap_or(edition.versions_by_default()),
        enable_anonymous: true,
        next_namespace: 1,
    };
    let instance = Instance { scope, id: tcr.world.identifier("tcr-", 8), row };
    let id = instance.id.clone();
    let limit = tcr.instances_per_region;
    tcr.store
        .write(move |tx| {
            if instances::find_by_name(tx, &instance.row.name)?.is_some() {
                return Err(Error::InstanceNameTaken(instance.row.name.clone()));
            }
            if tx.count::<Instances>(&instance.scope, Scan::all())? >= limit {
                let code = ErrorCode::OperationDeniedQuotaOverLimit;
                return Err(Error::Quota { counted: Counted::Instances, limit, code });
            }
            Ok(instance.put(tx)?)
        })
        .await?;
    Ok(CreateInstanceResponse { registry_id: id })
}

/// How the instance is paid: by use (0, also when nothing is said) or in advance (1).
fn prepaid(
    charge_type: Option<i64>,
    charge: Option<RegistryChargePrepaid>,
    now: Moment,
) -> Result<Option<Prepaid>, Error> {
    match charge_type.unwrap_or(0) {
        0 => Ok(None),
        1 => {
            let charge = charge.ok_or(Error::Missing("RegistryChargePrepaid"))?;
            read_prepaid(&charge, now).map(Some)
        }
        _ => Err(invalid("RegistryChargeType", CHARGE)),
    }
}

/// A payment that is made now.
pub(super) fn read_prepaid(charge: &RegistryChargePrepaid, now: Moment) -> Result<Prepaid, Error> {
    let months = u32::try_from(charge.period).ok().filter(|months| (1..=60).contains(months));
    let months = months.ok_or_else(|| invalid("RegistryChargePrepaid.Period", PERIOD))?;
    if !(0..=2).contains(&charge.renew_flag) {
        return Err(invalid("RegistryChargePrepaid.RenewFlag", RENEWAL));
    }
    Ok(Prepaid { months, renew_flag: charge.renew_flag, until: now.plus_months(months) })
}

fn invalid(parameter: &'static str, rule: Rule) -> Error {
    Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter }
}

pub(crate) fn resources(_: &Tcr, _: &Call<CreateInstanceRequest>) -> Vec<Resource> {
    vec![Resource::any()]
}
