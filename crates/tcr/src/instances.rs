//! Instances: their rows, the states they walk through, and how a request finds one.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rookery_api::region;
use rookery_api::tcr::{ErrorCode, Registry};
use rookery_gateway::Call;
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};

use crate::cloud_tags::{CloudTags, Tagged};
use crate::editions::Edition;
use crate::error::Error;
use crate::moments::Moment;
use crate::paging::Page;

/// Automatic payments that are followed at most: a century of months.
const PAYMENTS: u32 = 1200;

/// `TokenValidTime`: how many hours a long-term token is good for. Ten years.
pub(crate) const TOKEN_HOURS: u32 = 87_600;

/// Every instance, by id.
pub(crate) struct Instances;

/// What is kept of an instance.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the wire")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InstanceRow {
    pub(crate) name: String,
    pub(crate) edition: Edition,
    pub(crate) created_at: Moment,
    /// When it leaves `Pending`.
    pub(crate) deploying_at: Moment,
    /// When it becomes `Running`.
    pub(crate) running_at: Moment,
    /// `None` for an instance that is paid by use.
    pub(crate) prepaid: Option<Prepaid>,
    pub(crate) tags: CloudTags,
    /// Whether the tags are meant for the bucket as well.
    pub(crate) sync_tag: bool,
    pub(crate) deletion_protection: bool,
    pub(crate) cos_maz: bool,
    pub(crate) cos_versioning: bool,
    /// Whether public namespaces can be pulled from without a login.
    pub(crate) enable_anonymous: bool,
    /// The number that the next namespace gets.
    pub(crate) next_namespace: i64,
}

/// How a prepaid instance was paid.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Prepaid {
    /// Months per payment.
    pub(crate) months: u32,
    /// 0 manual renewal, 1 automatic, 2 none and no notice.
    pub(crate) renew_flag: i64,
    /// The end of the time that was paid for at first.
    pub(crate) until: Moment,
}

impl Prepaid {
    /// The end of the time that is paid for at `now`: automatic renewal moves it on, payment by payment.
    pub(crate) fn paid_until(self, now: Moment) -> Moment {
        if self.renew_flag != 1 || self.months == 0 || now < self.until {
            return self.until;
        }
        // Counted from the first end, so that a short month on the way does not move the day for good.
        (1..=PAYMENTS)
            .map(|payment| self.until.plus_months(payment * self.months))
            .find(|end| now < *end)
            .unwrap_or(self.until)
    }
}

/// `Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Deploying,
    Running,
    /// The time that was paid for is over.
    Isolate,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Deploying => "Deploying",
            Self::Running => "Running",
            Self::Isolate => "Isolate",
        }
    }
}

impl InstanceRow {
    /// The state that is due at `now`.
    pub(crate) fn status(&self, now: Moment) -> Status {
        if now < self.deploying_at {
            Status::Pending
        } else if now < self.running_at {
            Status::Deploying
        } else if self.prepaid.is_some_and(|prepaid| prepaid.paid_until(now) <= now) {
            Status::Isolate
        } else {
            Status::Running
        }
    }

    /// The host that the instance's images are pulled by.
    pub(crate) fn public_domain(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.name)
    }
}

impl Table for Instances {
    const NAME: &'static str = "tcr.instances";
    type Scope = Regional;
    type Key = String;
    type Row = InstanceRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&ById, &ByName, &ByAge, &ByAgeInRegion];
}

/// Ids are unique over all accounts and regions.
pub(crate) struct ById;

impl Index for ById {
    type Table = Instances;
    type Value = String;
    const NAME: &'static str = "id";
    const UNIQUE: bool = true;

    fn value(_: &Regional, id: &String, _: &InstanceRow) -> Option<String> {
        Some(id.clone())
    }
}

/// Names are unique over all accounts and regions, because they become hosts.
pub(crate) struct ByName;

impl Index for ByName {
    type Table = Instances;
    type Value = String;
    const NAME: &'static str = "name";
    const UNIQUE: bool = true;

    fn value(_: &Regional, _: &String, row: &InstanceRow) -> Option<String> {
        Some(row.name.clone())
    }
}

/// The instances of an account, the newest first; those of one moment by their ids.
pub(crate) struct ByAge;

impl Index for ByAge {
    type Table = Instances;
    type Value = (u64, i64, String);
    const NAME: &'static str = "age";
    const UNIQUE: bool = false;

    fn value(scope: &Regional, id: &String, row: &InstanceRow) -> Option<Self::Value> {
        Some((scope.uin, newest_first(row), id.clone()))
    }
}

/// As [`ByAge`], for each region.
pub(crate) struct ByAgeInRegion;

impl Index for ByAgeInRegion {
    type Table = Instances;
    type Value = (u64, String, i64, String);
    const NAME: &'static str = "age-in-region";
    const UNIQUE: bool = false;

    fn value(scope: &Regional, id: &String, row: &InstanceRow) -> Option<Self::Value> {
        Some((scope.uin, scope.region.clone(), newest_first(row), id.clone()))
    }
}

/// A number that is the smaller, the later the instance was made.
fn newest_first(row: &InstanceRow) -> i64 {
    !row.created_at.microseconds()
}

/// An instance with where it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) scope: Regional,
    pub(crate) id: String,
    pub(crate) row: InstanceRow,
}

impl From<(Regional, String, InstanceRow)> for Instance {
    fn from((scope, id, row): (Regional, String, InstanceRow)) -> Self {
        Self { scope, id, row }
    }
}

impl Instance {
    /// The instance as replies show it at `now`.
    pub(crate) fn describe(&self, suffix: &str, now: Moment) -> Registry {
        let row = &self.row;
        Registry {
            registry_id: self.id.clone(),
            registry_name: row.name.clone(),
            registry_type: row.edition.name().to_owned(),
            status: row.status(now).name().to_owned(),
            public_domain: row.public_domain(suffix),
            created_at: row.created_at.beijing(),
            region_name: self.scope.region.clone(),
            region_id: region_id(&self.scope),
            enable_anonymous: row.enable_anonymous,
            token_valid_time: u64::from(TOKEN_HOURS),
            // An address inside a VPC, which only ManageInternalEndpoint would give.
            internal_endpoint: String::new(),
            tag_specification: row.tags.specification(Tagged::Instance),
            expired_at: row.prepaid.map_or_else(String::new, |prepaid| prepaid.paid_until(now).beijing()),
            pay_mod: i64::from(row.prepaid.is_some()),
            renew_flag: row.prepaid.map_or(0, |prepaid| prepaid.renew_flag),
            deletion_protection: row.deletion_protection,
            ai_feature: Some(false),
            enable_cos_maz: row.cos_maz,
            enable_cos_versioning: row.cos_versioning,
        }
    }

    /// The newest first; those of one moment by their ids.
    fn by_age(&self, other: &Self) -> Ordering {
        (newest_first(&self.row), &self.id).cmp(&(newest_first(&other.row), &other.id))
    }

    /// Writes the row back.
    pub(crate) fn put(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        tx.put::<Instances>(&self.scope, &self.id, &self.row)
    }
}

/// The numeric id of an instance's region.
pub(crate) fn region_id(scope: &Regional) -> u64 {
    region::find(&scope.region).map_or(0, |region| region.id)
}

/// The instance of that id, whosever it is.
pub(crate) fn find(read: &impl Read, id: &str) -> Result<Option<Instance>, StoreError> {
    Ok(read.find::<ById>(id)?.map(Instance::from))
}

/// The instance of that name, whosever it is.
pub(crate) fn find_by_name(read: &impl Read, name: &str) -> Result<Option<Instance>, StoreError> {
    Ok(read.find::<ByName>(name)?.map(Instance::from))
}

/// What a listing of an account's instances is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listed<'a> {
    /// Those of one region.
    Region(&'a Regional),
    /// Those of every region.
    Everywhere(u64),
}

impl Listed<'_> {
    /// All of them, the newest first.
    pub(crate) fn all(self, read: &impl Read) -> Result<Vec<Instance>, StoreError> {
        let mut instances: Vec<Instance> = match self {
            Self::Region(scope) => {
                let rows = read.scan::<Instances>(scope, Scan::all())?.into_iter();
                rows.map(|(id, row)| Instance { scope: scope.clone(), id, row }).collect()
            }
            Self::Everywhere(uin) => {
                read.scan_account::<Instances>(uin)?.into_iter().map(Instance::from).collect()
            }
        };
        instances.sort_by(Instance::by_age);
        Ok(instances)
    }

    /// A page of them, the newest first, and how many there are altogether.
    pub(crate) fn page(self, read: &impl Read, page: Page) -> Result<(Vec<Instance>, usize), StoreError> {
        match self {
            Self::Region(scope) => {
                let all = Scan::all().prefix(&(scope.uin, scope.region.clone()));
                self.page_of::<ByAgeInRegion>(read, all, page)
            }
            Self::Everywhere(uin) => self.page_of::<ByAge>(read, Scan::all().prefix(&uin), page),
        }
    }

    fn page_of<I: Index<Table = Instances>>(
        self,
        read: &impl Read,
        all: Scan<I::Value>,
        page: Page,
    ) -> Result<(Vec<Instance>, usize), StoreError> {
        let total = read.count_index::<I>(all.clone())?;
        // Rows that are looked up one by one cost some times as much as those that are read in a row.
        if page.length > total / 4 {
            return Ok((page.of(self.all(read)?), total));
        }
        let rows = read.scan_index::<I>(all.skip(page.skip).limit(page.length))?;
        Ok((rows.into_iter().map(Instance::from).collect(), total))
    }

    /// Those of them that have one of these ids, the newest first.
    pub(crate) fn with_ids(self, read: &impl Read, ids: &[String]) -> Result<Vec<Instance>, StoreError> {
        let distinct: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let mut instances = Vec::new();
        for id in distinct {
            instances.extend(find(read, id)?.filter(|instance| self.has(&instance.scope)));
        }
        instances.sort_by(Instance::by_age);
        Ok(instances)
    }

    fn has(self, scope: &Regional) -> bool {
        match self {
            Self::Region(listed) => listed == scope,
            Self::Everywhere(uin) => scope.uin == uin,
        }
    }
}

/// The codes with which a family of actions refuses an instance; they follow from what each documents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codes {
    pub(crate) missing: ErrorCode,
    pub(crate) not_running: ErrorCode,
}

/// Namespaces, repositories, images, and signatures but for the creation of a policy.
pub(crate) const CONTENT: Codes =
    Codes { missing: ErrorCode::ResourceNotFound, not_running: ErrorCode::OperationDenied };
/// `CreateInstanceToken`.
pub(crate) const NEW_TOKEN: Codes = Codes {
    missing: ErrorCode::ResourceNotFoundTcrResourceNotFound,
    not_running: ErrorCode::UnsupportedOperation,
};
/// The other actions of tokens, which document no code for what is missing.
pub(crate) const TOKENS: Codes =
    Codes { missing: ErrorCode::InvalidParameter, not_running: ErrorCode::UnsupportedOperation };
/// `CreateSignaturePolicy`, with four codes altogether.
pub(crate) const NEW_POLICY: Codes = Codes {
    missing: ErrorCode::InvalidParameterErrorTcrInvalidParameter,
    not_running: ErrorCode::UnsupportedOperation,
};
/// Service accounts, which document no code for what is missing.
pub(crate) const ACCOUNTS: Codes =
    Codes { missing: ErrorCode::InvalidParameter, not_running: ErrorCode::OperationDenied };
/// The public endpoint and its allow list.
pub(crate) const ENDPOINT: Codes =
    Codes { missing: ErrorCode::InvalidParameter, not_running: ErrorCode::UnsupportedOperation };
/// Domains.
pub(crate) const DOMAINS: Codes =
    Codes { missing: ErrorCode::ResourceNotFound, not_running: ErrorCode::UnsupportedOperation };
/// Rules of immutable tags.
pub(crate) const IMMUTABLE: Codes =
    Codes { missing: ErrorCode::ResourceNotFound, not_running: ErrorCode::FailedOperation };
/// Rules of retention and their runs.
pub(crate) const RETENTION: Codes =
    Codes { missing: ErrorCode::ResourceNotFound, not_running: ErrorCode::UnsupportedOperation };
/// `RenewInstance`.
pub(crate) const RENEW: Codes =
    Codes { missing: ErrorCode::InternalErrorErrNotExist, not_running: ErrorCode::UnsupportedOperation };
/// Jobs that collect garbage.
pub(crate) const GC: Codes =
    Codes { missing: ErrorCode::ResourceNotFound, not_running: ErrorCode::UnsupportedOperation };
/// `TerminateGCJob`, with one code altogether.
pub(crate) const GC_END: Codes =
    Codes { missing: ErrorCode::InternalError, not_running: ErrorCode::InternalError };
/// Replicas.
pub(crate) const REPLICAS: Codes =
    Codes { missing: ErrorCode::InvalidParameter, not_running: ErrorCode::UnsupportedOperation };
/// Rules of synchronisation.
pub(crate) const SYNC: Codes =
    Codes { missing: ErrorCode::ResourceNotFound, not_running: ErrorCode::InternalErrorErrorTcrInternal };
/// Listings of synchronisation.
pub(crate) const SYNC_LISTS: Codes = Codes {
    missing: ErrorCode::InvalidParameterErrorTcrInvalidParameter,
    not_running: ErrorCode::UnsupportedOperation,
};
/// Webhook triggers.
pub(crate) const WEBHOOKS: Codes =
    Codes { missing: ErrorCode::ResourceNotFound, not_running: ErrorCode::InternalErrorErrorTcrInternal };
/// `ModifyInstance`.
pub(crate) const MODIFY: Codes =
    Codes { missing: ErrorCode::InternalErrorErrNotExist, not_running: ErrorCode::OperationDenied };

/// The caller's instance of that id in the call's region.
pub(crate) fn existing(
    read: &impl Read,
    scope: &Regional,
    id: &str,
    codes: Codes,
) -> Result<Instance, Error> {
    match read.get::<Instances>(scope, id)? {
        Some(row) => Ok(Instance { scope: scope.clone(), id: id.to_owned(), row }),
        None => Err(Error::NoInstance { id: id.to_owned(), code: codes.missing }),
    }
}

/// As [`existing`], and it runs.
pub(crate) fn running(
    read: &impl Read,
    scope: &Regional,
    id: &str,
    now: Moment,
    codes: Codes,
) -> Result<Instance, Error> {
    let instance = existing(read, scope, id, codes)?;
    if instance.row.status(now) == Status::Running {
        Ok(instance)
    } else {
        Err(Error::NotRunning { id: instance.id, code: codes.not_running })
    }
}

/// Where the call's rows are: its account and its region.
pub(crate) fn scope<R>(call: &Call<R>) -> Regional {
    Regional { uin: call.caller.account.uin, region: call.region.clone() }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn at(time: time::OffsetDateTime) -> Moment {
        Moment::from(time)
    }

    #[test]
    fn automatic_renewal_pays_again_and_again() {
        let until = at(datetime!(2024-01-31 0:00 UTC));
        let prepaid = Prepaid { months: 1, renew_flag: 1, until };
        assert_eq!(prepaid.paid_until(at(datetime!(2024-01-30 0:00 UTC))), until);
        assert_eq!(prepaid.paid_until(until), at(datetime!(2024-02-29 0:00 UTC)));
        assert_eq!(
            prepaid.paid_until(at(datetime!(2024-03-01 0:00 UTC))),
            at(datetime!(2024-03-31 0:00 UTC))
        );
        let manual = Prepaid { renew_flag: 0, ..prepaid };
        assert_eq!(manual.paid_until(at(datetime!(2025-01-01 0:00 UTC))), until);
    }
}
