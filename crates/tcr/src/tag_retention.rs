//! Tag retention: which images of a namespace stay when its rule is carried out, and when that is (`tcr.md` §6).
//!
//! As with the platform's ancestor: a rule is several items, each with a selector of repositories and tags and a policy that keeps the
//! newest of what it selects. What any item keeps stays; every other tagged image of a repository that some item selects goes. Images
//! are judged by the last push of any of their tags. What has no tag is the collector's, not retention's.

use rookery_api::tcr::{
    ErrorCode, FilterSelector, RetentionExecution, RetentionPolicy, RetentionRule, RetentionRuleItem,
    RetentionTask,
};
use rookery_store::{ErasedIndex, Index, Read, Regional, Scan, StoreError, Table, Transaction};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, Weekday};

use crate::error::{Error, Rule};
use crate::immutable_tags::Selector;
use crate::instances::Instance;
use crate::moments::{Moment, NEVER};
use crate::namespaces::Namespaces;

/// The largest `Value` of each key, as in the platform's ancestor.
const MOST_IMAGES: i64 = 32_766;
const MOST_DAYS: i64 = 20_190_904;
/// Items of a rule. The ancestor's console allows fifteen.
const MOST_ITEMS: usize = 15;

const KEY: Rule = Rule {
    english: "must be `latestPushedK` or `nDaysSinceLastPush`",
    chinese: "取值须为latestPushedK或nDaysSinceLastPush",
};
const VALUE: Rule = Rule { english: "is out of its range", chinese: "超出取值范围" };
const CRON: Rule = Rule {
    english: "must be manual, daily, weekly or monthly",
    chinese: "取值须为manual、daily、weekly或monthly",
};
const ITEMS: Rule = Rule { english: "must have 1 to 15 items", chinese: "须为1-15条" };

/// The rules of an instance, by number.
pub(crate) struct RetentionRules;

/// What is kept of a rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RetentionRow {
    pub(crate) namespace: String,
    pub(crate) cron: Cron,
    pub(crate) items: Vec<Item>,
    /// Whether the items were given one by one.
    pub(crate) advanced: bool,
    pub(crate) disabled: bool,
    /// When it is carried out next; `None` where nobody but a caller starts it.
    pub(crate) next_at: Option<Moment>,
}

impl Table for RetentionRules {
    const NAME: &'static str = "tcr.retention-rules";
    type Scope = Regional;
    type Key = (String, i64);
    type Row = RetentionRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&DueRetention];
}

/// The rules in the order in which they are due, in microseconds since 1970.
pub(crate) struct DueRetention;

impl Index for DueRetention {
    type Table = RetentionRules;
    type Value = i64;
    const NAME: &'static str = "due";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &(String, i64), row: &RetentionRow) -> Option<i64> {
        row.next_at.map(Moment::microseconds)
    }
}

/// `CronSetting`. Days, weeks (from Sunday) and months begin at midnight, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cron {
    Manual,
    Daily,
    Weekly,
    Monthly,
}

impl Cron {
    pub(crate) fn parse(word: &str) -> Result<Self, Error> {
        let crons = [Self::Manual, Self::Daily, Self::Weekly, Self::Monthly];
        let invalid =
            || Error::Invalid { parameter: "CronSetting", rule: CRON, code: ErrorCode::InvalidParameter };
        crons.into_iter().find(|cron| cron.name() == word).ok_or_else(invalid)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The first time after `now`.
    pub(crate) fn after(self, now: OffsetDateTime) -> Option<Moment> {
        let midnight = now.to_offset(time::UtcOffset::UTC).date().midnight().assume_utc();
        match self {
            Self::Manual => None,
            Self::Daily => Some((midnight + Duration::DAY).into()),
            Self::Weekly => {
                let days = (1..=7).map(|days| midnight + Duration::days(days));
                days.into_iter().find(|day| day.weekday() == Weekday::Sunday).map(Moment::from)
            }
            Self::Monthly => {
                let first = midnight.replace_day(1).unwrap_or(midnight);
                Some(Moment::from(first).plus_months(1))
            }
        }
    }
}

/// One selector, and what it keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) keep: Keep,
    pub(crate) selector: Selector,
}

/// `RetentionRule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keep {
    /// So many of the newest.
    Latest(i64),
    /// What was pushed in the last days.
    Days(i64),
}

impl Keep {
    fn read(rule: &RetentionRule, parameters: [&'static str; 2]) -> Result<Self, Error> {
        let [key, value] = parameters;
        let invalid = |parameter, rule| Error::Invalid { parameter, rule, code: ErrorCode::InvalidParameter };
        let (keep, most) = match rule.key.as_str() {
            "latestPushedK" => (Self::Latest(rule.value), MOST_IMAGES),
            "nDaysSinceLastPush" => (Self::Days(rule.value), MOST_DAYS),
            _ => return Err(invalid(key, KEY)),
        };
        if (0..=most).contains(&rule.value) { Ok(keep) } else { Err(invalid(value, VALUE)) }
    }

    fn describe(self) -> RetentionRule {
        let (key, value) = match self {
            Self::Latest(images) => ("latestPushedK", images),
            Self::Days(days) => ("nDaysSinceLastPush", days),
        };
        RetentionRule { key: key.to_owned(), value }
    }
}

/// The items of a request, and whether they are the advanced ones, which win where both are given. `None` where it has neither.
pub(crate) fn read_items(
    simple: Option<&RetentionRule>,
    advanced: Option<&[RetentionRuleItem]>,
) -> Result<Option<(Vec<Item>, bool)>, Error> {
    let advanced = advanced.unwrap_or_default();
    if advanced.is_empty() {
        let Some(rule) = simple else { return Ok(None) };
        let keep = Keep::read(rule, ["RetentionRule.Key", "RetentionRule.Value"])?;
        return Ok(Some((vec![Item { keep, selector: Selector::default() }], false)));
    }
    if advanced.len() > MOST_ITEMS {
        let code = ErrorCode::InvalidParameter;
        return Err(Error::Invalid { parameter: "AdvancedRuleItems", rule: ITEMS, code });
    }
    Ok(Some((advanced.iter().map(read_item).collect::<Result<_, _>>()?, true)))
}

fn read_item(item: &RetentionRuleItem) -> Result<Item, Error> {
    let policy = item.retention_policy.as_ref();
    let policy = policy.ok_or(Error::Missing("AdvancedRuleItems.RetentionPolicy"))?;
    let keep = Keep::read(
        policy,
        ["AdvancedRuleItems.RetentionPolicy.Key", "AdvancedRuleItems.RetentionPolicy.Value"],
    )?;
    // A filter that is left out, or a part of one, selects everything.
    let read = |filter: &Option<FilterSelector>, decoration: &str| match filter {
        None => (decoration.to_owned(), String::new()),
        Some(filter) => (
            filter.decoration.clone().unwrap_or_else(|| decoration.to_owned()),
            filter.pattern.clone().unwrap_or_default(),
        ),
    };
    let repositories = read(&item.repository_filter, "repoMatches");
    let tags = read(&item.tag_filter, "matches");
    let selector = Selector::read(
        [
            "AdvancedRuleItems.RepositoryFilter.Decoration",
            "AdvancedRuleItems.RepositoryFilter.Pattern",
            "AdvancedRuleItems.TagFilter.Decoration",
            "AdvancedRuleItems.TagFilter.Pattern",
        ],
        [&repositories.0, &repositories.1, &tags.0, &tags.1],
        ErrorCode::InvalidParameter,
    )?;
    Ok(Item { keep, selector })
}

impl RetentionRow {
    /// The rule as replies show it. The short list has the policies of the advanced items as well.
    pub(crate) fn describe(&self, id: i64) -> RetentionPolicy {
        let selector = |decoration: &str, pattern: &str| {
            Some(FilterSelector {
                decoration: Some(decoration.to_owned()),
                pattern: Some(pattern.to_owned()),
            })
        };
        let advanced = self.items.iter().filter(|_| self.advanced).map(|Item { keep, selector: means }| {
            RetentionRuleItem {
                retention_policy: Some(keep.describe()),
                tag_filter: selector(means.of_tag(), &means.tags),
                repository_filter: selector(means.of_repository(), &means.repositories),
            }
        });
        RetentionPolicy {
            retention_id: id,
            namespace_name: self.namespace.clone(),
            retention_rule_list: self.items.iter().map(|item| item.keep.describe()).collect(),
            advanced_rule_items: advanced.collect(),
            cron_setting: self.cron.name().to_owned(),
            disabled: self.disabled,
            next_execution_time: self.next_at.map_or_else(|| NEVER.to_owned(), Moment::utc),
        }
    }

    /// Sets when it is carried out next.
    pub(crate) fn schedule(&mut self, now: OffsetDateTime) {
        self.next_at = if self.disabled { None } else { self.cron.after(now) };
    }
}

/// The runs of the rules of an instance, by number.
pub(crate) struct RetentionExecutions;

/// What is kept of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExecutionRow {
    pub(crate) rule: i64,
    pub(crate) dry_run: bool,
    pub(crate) started_at: Moment,
    pub(crate) ended_at: Option<Moment>,
    pub(crate) status: RunStatus,
}

impl Table for RetentionExecutions {
    const NAME: &'static str = "tcr.retention-executions";
    type Scope = Regional;
    type Key = (String, i64);
    type Row = ExecutionRow;
    const INDEXES: &'static [&'static dyn ErasedIndex<Self>] = &[&UnderWay];
}

/// The runs that have not ended.
pub(crate) struct UnderWay;

impl Index for UnderWay {
    type Table = RetentionExecutions;
    type Value = bool;
    const NAME: &'static str = "under-way";
    const UNIQUE: bool = false;

    fn value(_: &Regional, _: &(String, i64), row: &ExecutionRow) -> Option<bool> {
        (row.status == RunStatus::InProgress).then_some(true)
    }
}

/// `Status` of runs and of their parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RunStatus {
    InProgress,
    Succeed,
    Failed,
    /// The rule went away before the run had ended.
    Stopped,
}

impl RunStatus {
    fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeed => "Succeed",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }
}

impl ExecutionRow {
    /// The run as replies show it.
    pub(crate) fn describe(&self, id: i64) -> RetentionExecution {
        RetentionExecution {
            execution_id: id,
            retention_id: self.rule,
            start_time: self.started_at.utc_with_fraction(),
            end_time: self.ended_at.map_or_else(|| NEVER.to_owned(), Moment::utc_with_fraction),
            status: self.status.name().to_owned(),
        }
    }
}

/// What a run did in each repository, by instance, run and number.
pub(crate) struct RetentionTasks;

/// What is kept of a part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TaskRow {
    /// Without the namespace.
    pub(crate) repository: String,
    /// Images that were judged.
    pub(crate) total: i64,
    /// Of them, those that stay.
    pub(crate) retained: i64,
    pub(crate) started_at: Moment,
    pub(crate) ended_at: Moment,
    pub(crate) status: RunStatus,
}

impl Table for RetentionTasks {
    const NAME: &'static str = "tcr.retention-tasks";
    type Scope = Regional;
    type Key = (String, i64, i64);
    type Row = TaskRow;
}

impl TaskRow {
    /// The part as replies show it.
    pub(crate) fn describe(&self, execution: i64, id: i64) -> RetentionTask {
        RetentionTask {
            task_id: id,
            execution_id: execution,
            start_time: self.started_at.utc_with_fraction(),
            end_time: self.ended_at.utc_with_fraction(),
            status: self.status.name().to_owned(),
            total: self.total,
            retained: self.retained,
            repository: self.repository.clone(),
        }
    }
}

/// The rules of an instance, or of one of its namespaces, the oldest first.
pub(crate) fn list(
    read: &impl Read,
    instance: &Instance,
    namespace: Option<&str>,
) -> Result<Vec<(i64, RetentionRow)>, StoreError> {
    let rows = read.scan::<RetentionRules>(&instance.scope, Scan::all().prefix(instance.id.as_str()))?;
    let wanted = |row: &RetentionRow| namespace.is_none_or(|namespace| row.namespace == namespace);
    Ok(rows.into_iter().filter(|(_, row)| wanted(row)).map(|((_, id), row)| (id, row)).collect())
}

/// The rule with that number.
pub(crate) fn existing(
    read: &impl Read,
    instance: &Instance,
    id: i64,
    code: ErrorCode,
) -> Result<RetentionRow, Error> {
    let row = read.get::<RetentionRules>(&instance.scope, &(instance.id.clone(), id))?;
    row.ok_or(Error::NoRule { id, code })
}

/// The namespace with that number.
pub(crate) fn namespace_of(read: &impl Read, instance: &Instance, number: i64) -> Result<String, Error> {
    let rows = read.scan::<Namespaces>(&instance.scope, Scan::all().prefix(instance.id.as_str()))?;
    let found = rows.into_iter().find(|(_, row)| row.number == number).map(|((_, name), _)| name);
    found.ok_or_else(|| Error::NoNamespace { name: number.to_string(), code: ErrorCode::ResourceNotFound })
}

/// The runs of a rule, the newest first.
pub(crate) fn executions(
    read: &impl Read,
    instance: &Instance,
    rule: i64,
) -> Result<Vec<(i64, ExecutionRow)>, StoreError> {
    let scan = Scan::all().prefix(instance.id.as_str()).reverse();
    let rows = read.scan::<RetentionExecutions>(&instance.scope, scan)?;
    Ok(rows.into_iter().filter(|(_, row)| row.rule == rule).map(|((_, id), row)| (id, row)).collect())
}

/// The parts of a run, in the order in which they were done.
pub(crate) fn tasks(
    read: &impl Read,
    instance: &Instance,
    execution: i64,
) -> Result<Vec<(i64, TaskRow)>, StoreError> {
    let scan = Scan::all().prefix(&(instance.id.clone(), execution));
    let rows = read.scan::<RetentionTasks>(&instance.scope, scan)?;
    Ok(rows.into_iter().map(|((_, _, id), row)| (id, row)).collect())
}

/// Takes a rule away with its runs and their parts.
pub(crate) fn delete(tx: &mut Transaction<'_>, instance: &Instance, rule: i64) -> Result<(), StoreError> {
    for (execution, _) in executions(tx, instance, rule)? {
        for (task, _) in tasks(tx, instance, execution)? {
            tx.delete::<RetentionTasks>(&instance.scope, &(instance.id.clone(), execution, task))?;
        }
        tx.delete::<RetentionExecutions>(&instance.scope, &(instance.id.clone(), execution))?;
    }
    tx.delete::<RetentionRules>(&instance.scope, &(instance.id.clone(), rule)).map(drop)
}

/// As [`delete`], the rule of a namespace.
pub(crate) fn delete_of(
    tx: &mut Transaction<'_>,
    instance: &Instance,
    namespace: &str,
) -> Result<(), StoreError> {
    for (rule, _) in list(tx, instance, Some(namespace))? {
        delete(tx, instance, rule)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn days_weeks_and_months_begin_at_midnight() {
        let after = |cron: Cron, now| cron.after(now).map(Moment::utc);
        let now = datetime!(2024-12-10 14:04:56 UTC);
        assert_eq!(after(Cron::Manual, now), None);
        assert_eq!(after(Cron::Daily, now).unwrap(), "2024-12-11T00:00:00Z");
        assert_eq!(after(Cron::Weekly, now).unwrap(), "2024-12-15T00:00:00Z");
        assert_eq!(after(Cron::Monthly, now).unwrap(), "2025-01-01T00:00:00Z");
        // On the very second it is the next one's turn, and elsewhere's midnight is not ours.
        assert_eq!(after(Cron::Weekly, datetime!(2024-12-15 0:00 UTC)).unwrap(), "2024-12-22T00:00:00Z");
        assert_eq!(after(Cron::Daily, datetime!(2024-12-11 1:00 +8)).unwrap(), "2024-12-11T00:00:00Z");
        assert_eq!(after(Cron::Monthly, datetime!(2025-01-31 0:00 UTC)).unwrap(), "2025-02-01T00:00:00Z");
    }
}
