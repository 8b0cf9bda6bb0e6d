//! When backups of an instance are taken, and how long each is kept.

use std::collections::BTreeMap;

use rookery_api::mariadb::{BackupConfig, ErrorCode, NewBackupConfig};
use rookery_store::{Global, Read, Table, Transaction};
use serde::{Deserialize, Serialize};
use time::macros::format_description;
use time::{Date, Duration, Weekday};

use crate::error::Error;
use crate::moments::Moment;

/// How long a backup may take to be tried again after it failed.
const PAUSE: Duration = Duration::minutes(1);
const DAYS: [(&str, Weekday); 7] = [
    ("Monday", Weekday::Monday),
    ("Tuesday", Weekday::Tuesday),
    ("Wednesday", Weekday::Wednesday),
    ("Thursday", Weekday::Thursday),
    ("Friday", Weekday::Friday),
    ("Saturday", Weekday::Saturday),
    ("Sunday", Weekday::Sunday),
];

/// What was set for an instance; one without a row has the default.
pub(crate) struct Policies;

impl Table for Policies {
    const NAME: &'static str = "mariadb.backup_policies";
    type Scope = Global;
    type Key = String;
    type Row = Policy;
}

/// When, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) days: u32,
    pub(crate) window: Window,
    /// Names of days; the order is the calendar's.
    pub(crate) week_days: Vec<String>,
    pub(crate) long_term: Option<LongTerm>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            days: 7,
            window: Window { start: 60, end: 5 * 60 },
            week_days: DAYS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            long_term: None,
        }
    }
}

/// A part of the day, in minutes after midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    start: u16,
    end: u16,
}

impl Window {
    pub(crate) fn parse(start: &str, end: &str) -> Result<Self, Error> {
        let minutes = |parameter: &str, text: &str| {
            minutes(text).ok_or_else(|| Error::invalid(parameter, "must have the form 22:30"))
        };
        let window = Self { start: minutes("StartBackupTime", start)?, end: minutes("EndBackupTime", end)? };
        if window.start >= window.end {
            return Err(Error::invalid(
                "EndBackupTime",
                "must be later than `StartBackupTime`, on the same day",
            ));
        }
        Ok(window)
    }

    pub(crate) fn texts(self) -> (String, String) {
        let text = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        (text(self.start), text(self.end))
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |digits: &str, below: u16| {
        let formed = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u16>().ok().filter(|number| formed && *number < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

/// Backups that are kept for longer than the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LongTerm {
    pub(crate) enabled: bool,
    /// Backups of earlier days are not kept for longer; written as `2026-01-31`.
    begin: String,
    retention_days: u32,
    frequency: Frequency,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Frequency {
    /// So many of each year, the first ones.
    Annually(u32),
    /// So many of each month, the first ones.
    Monthly(u32),
    /// Those of these days of the week.
    Weekly(Vec<String>),
}

impl LongTerm {
    /// At most one policy can be set.
    pub(crate) fn of(set: Vec<NewBackupConfig>) -> Result<Option<Self>, Error> {
        let wrong = |rule: &str| Error::invalid("BackupConfigSet", rule);
        let mut set = set.into_iter();
        let Some(config) = set.next() else { return Ok(None) };
        if set.next().is_some() {
            return Err(wrong("must have at most one policy: annually, monthly or weekly"));
        }
        let begin = Date::parse(config.begin_date.trim(), format_description!("[year]-[month]-[day]"));
        let begin = begin.map_err(|_| wrong("must have a `BeginDate` of the form 2026-01-31"))?;
        let retention_days = within(config.max_retention_days, 3650)
            .ok_or_else(|| wrong("must have a `MaxRetentionDays` of 1 to 3650"))?;
        let days = config.week_days.unwrap_or_default();
        let count = |most| {
            if !days.is_empty() {
                return Err(wrong("has `WeekDays` with weekly backups only"));
            }
            let count = config.backup_count.and_then(|count| within(count, most));
            count.ok_or_else(|| wrong("must have a `BackupCount` of 1 to 28 a month, or 1 to 336 a year"))
        };
        let frequency = match config.frequency.as_str() {
            "annually" => Frequency::Annually(count(336)?),
            "monthly" => Frequency::Monthly(count(28)?),
            "weekly" if config.backup_count.is_some_and(|count| count != 0) => {
                return Err(wrong("has `BackupCount` with monthly and annual backups only"));
            }
            "weekly" => Frequency::Weekly(week_days(&days)?),
            _ => return Err(wrong("must have a `Frequency` that is annually, monthly or weekly")),
        };
        let begin = begin.to_string();
        Ok(Some(Self { enabled: config.enable_backup_policy, begin, retention_days, frequency }))
    }

    pub(crate) fn describe(&self) -> BackupConfig {
        let (frequency, week_days, backup_count) = match &self.frequency {
            Frequency::Annually(count) => ("annually", Vec::new(), i64::from(*count)),
            Frequency::Monthly(count) => ("monthly", Vec::new(), i64::from(*count)),
            Frequency::Weekly(days) => ("weekly", days.clone(), 0),
        };
        BackupConfig {
            enable_backup_policy: self.enabled,
            begin_date: self.begin.clone(),
            max_retention_days: i64::from(self.retention_days),
            frequency: frequency.to_owned(),
            week_days,
            backup_count,
        }
    }

    /// Which of these moments, in their order, are of backups that are kept although their usual days are over.
    fn keeps(&self, taken: &[Moment], now: Moment) -> Vec<bool> {
        let mut counted: BTreeMap<(i32, u8), u32> = BTreeMap::new();
        taken
            .iter()
            .map(|at| {
                let day = at.date();
                if !self.enabled || day.to_string() < self.begin {
                    return false;
                }
                let mut among_first = |key, most: u32| {
                    let count = counted.entry(key).or_default();
                    *count += 1;
                    *count <= most
                };
                let chosen = match &self.frequency {
                    Frequency::Annually(most) => among_first((day.year(), 0), *most),
                    Frequency::Monthly(most) => among_first((day.year(), day.month().into()), *most),
                    Frequency::Weekly(days) => names(days, day.weekday()),
                };
                // The next one is not the first of its month because the first has had its time.
                chosen && now < at.plus(Duration::days(self.retention_days.into()))
            })
            .collect()
    }
}

fn within(number: i64, most: u32) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| (1..=most).contains(number))
}

fn names(days: &[String], day: Weekday) -> bool {
    DAYS.iter().any(|(name, known)| *known == day && days.iter().any(|wanted| wanted == name))
}

/// Names of days, each once and in the order of the week; at least one.
pub(crate) fn week_days(named: &[String]) -> Result<Vec<String>, Error> {
    let known = |name: &String| DAYS.iter().any(|(known, _)| known == name);
    if named.is_empty() || !named.iter().all(known) {
        return Err(Error::invalid("WeekDays", "must name days from Monday to Sunday, at least one"));
    }
    let days = DAYS.iter().filter(|(name, _)| named.iter().any(|wanted| wanted == name));
    Ok(days.map(|(name, _)| (*name).to_owned()).collect())
}

/// `Days`.
pub(crate) fn days(days: u64) -> Result<u32, Error> {
    u32::try_from(days).ok().filter(|days| (1..=3650).contains(days)).ok_or_else(|| {
        Error::refuse(
            ErrorCode::InvalidParameterValueIllegalLogSaveDays,
            "`Days` must be 1 to 3650.",
            "`Days` 取值须为 1 至 3650。",
        )
    })
}

impl Policy {
    /// Whether a backup is to be taken now: there is none yet, or it is the time for one and today's has not been taken.
    pub(crate) fn due(&self, last: Option<Moment>, failed: Option<Moment>, now: Moment) -> bool {
        if failed.is_some_and(|failed| now < failed.plus(PAUSE)) {
            return false;
        }
        let Some(last) = last else { return true };
        let (start, end) = (now.at_minute(self.window.start.into()), now.at_minute(self.window.end.into()));
        names(&self.week_days, now.date().weekday()) && (start..end).contains(&now) && last < start
    }

    /// Of backups taken at these moments, the oldest first: from which of them a moment can still be restored, and which are kept at all.
    /// The newest is kept whatever its age, because without it nothing could be restored.
    pub(crate) fn keeps(&self, taken: &[Moment], now: Moment) -> Vec<Keeping> {
        let regular = |at: Moment| now < at.plus(Duration::days(self.days.into()));
        let longer = match &self.long_term {
            Some(policy) => policy.keeps(taken, now),
            None => vec![false; taken.len()],
        };
        taken
            .iter()
            .enumerate()
            .zip(longer)
            .map(|((index, at), longer)| {
                if regular(*at) || index + 1 == taken.len() {
                    Keeping::Restorable
                } else if longer {
                    Keeping::LongTerm
                } else {
                    Keeping::No
                }
            })
            .collect()
    }
}

/// What becomes of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// It is kept with the binary logs since.
    Restorable,
    /// It alone is kept.
    LongTerm,
    No,
}

pub(crate) fn of(read: &impl Read, instance: &str) -> Result<Policy, Error> {
    Ok(read.get::<Policies>(&Global, instance)?.unwrap_or_default())
}

pub(crate) fn put(tx: &mut Transaction<'_>, instance: &str, policy: &Policy) -> Result<(), Error> {
    Ok(tx.put::<Policies>(&Global, &instance.to_owned(), policy)?)
}

pub(crate) fn forget(tx: &mut Transaction<'_>, instance: &str) -> Result<(), Error> {
    tx.delete::<Policies>(&Global, &instance.to_owned())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rookery_gateway::Refusal as _;

    use super::*;

    fn at(text: &str) -> Moment {
        Moment::parse(text).unwrap()
    }

    fn config(frequency: &str, count: Option<i64>, days: Option<&[&str]>) -> NewBackupConfig {
        NewBackupConfig {
            enable_backup_policy: true,
            begin_date: "2026-01-01".to_owned(),
            max_retention_days: 365,
            frequency: frequency.to_owned(),
            week_days: days.map(|days| days.iter().map(|day| (*day).to_owned()).collect()),
            backup_count: count,
        }
    }

    #[test]
    fn the_first_backup_is_due_at_once_and_the_next_in_the_window() {
        let policy = Policy { window: Window::parse("22:00", "23:00").unwrap(), ..Policy::default() };
        let (last, noon) = (Some(at("2026-03-01 12:00:00")), at("2026-03-02 12:00:00"));
        assert!(policy.due(None, None, noon));
        assert!(!policy.due(None, Some(noon), noon.plus(Duration::seconds(59))), "it has only just failed");
        assert!(policy.due(None, Some(noon), noon.plus(Duration::seconds(60))));
        assert!(!policy.due(last, None, noon));
        assert!(!policy.due(last, None, at("2026-03-02 21:59:59")));
        assert!(policy.due(last, None, at("2026-03-02 22:00:00")));
        assert!(
            !policy.due(Some(at("2026-03-02 22:00:00")), None, at("2026-03-02 22:30:00")),
            "taken already"
        );
        assert!(!policy.due(last, None, at("2026-03-02 23:00:00")));
        // A Monday.
        let mondays = Policy { week_days: vec!["Monday".to_owned()], ..policy };
        assert!(mondays.due(last, None, at("2026-03-02 22:00:00")));
        assert!(!mondays.due(last, None, at("2026-03-03 22:00:00")));
    }

    #[test]
    fn backups_are_kept_for_their_days_and_the_newest_always() {
        let policy = Policy { days: 2, ..Policy::default() };
        let taken = [at("2026-03-01 01:00:00"), at("2026-03-02 01:00:00"), at("2026-03-03 01:00:00")];
        assert_eq!(
            policy.keeps(&taken, at("2026-03-03 01:00:01")),
            [Keeping::No, Keeping::Restorable, Keeping::Restorable]
        );
        assert_eq!(
            policy.keeps(&taken, at("2027-01-01 00:00:00")),
            [Keeping::No, Keeping::No, Keeping::Restorable]
        );
        assert!(policy.keeps(&[], at("2027-01-01 00:00:00")).is_empty());
    }

    #[test]
    fn long_term_policies_keep_the_first_of_a_period_or_days_of_the_week() {
        let taken: Vec<Moment> =
            (0..60).map(|day| at("2026-01-01 01:00:00").plus(Duration::days(day))).collect();
        let now = at("2026-04-01 00:00:00");
        let kept = |config| {
            let policy = Policy { long_term: LongTerm::of(vec![config]).unwrap(), ..Policy::default() };
            let kept = policy.keeps(&taken, now);
            let longer = taken.iter().zip(kept).filter(|(_, keeping)| *keeping == Keeping::LongTerm);
            longer.map(|(at, _)| at.text()[..10].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(kept(config("monthly", Some(1), None)), ["2026-01-01", "2026-02-01"]);
        assert_eq!(kept(config("annually", Some(2), None)), ["2026-01-01", "2026-01-02"]);
        let sundays = kept(config("weekly", None, Some(&["Sunday"])));
        assert_eq!((sundays.len(), sundays[0].as_str()), (8, "2026-01-04"));
        let late =
            NewBackupConfig { begin_date: "2026-02-15".to_owned(), ..config("monthly", Some(1), None) };
        assert_eq!(kept(late), ["2026-02-15"]);
        let off = NewBackupConfig { enable_backup_policy: false, ..config("monthly", Some(1), None) };
        assert!(kept(off).is_empty());
        let short = NewBackupConfig { max_retention_days: 60, ..config("monthly", Some(1), None) };
        assert_eq!(kept(short), ["2026-02-01"]);
    }

    #[test]
    fn what_makes_no_policy_is_refused() {
        let config = config("monthly", Some(1), None);
        for bad in [
            vec![config.clone(), config.clone()],
            vec![NewBackupConfig { begin_date: "tomorrow".to_owned(), ..config.clone() }],
            vec![NewBackupConfig { max_retention_days: 0, ..config.clone() }],
            vec![NewBackupConfig { frequency: "daily".to_owned(), ..config.clone() }],
            vec![NewBackupConfig { backup_count: Some(29), ..config.clone() }],
            vec![NewBackupConfig { backup_count: None, ..config.clone() }],
            vec![NewBackupConfig { week_days: Some(vec!["Monday".to_owned()]), ..config.clone() }],
            vec![NewBackupConfig { frequency: "weekly".to_owned(), ..config.clone() }],
            vec![NewBackupConfig { frequency: "weekly".to_owned(), backup_count: None, ..config.clone() }],
        ] {
            assert_eq!(
                LongTerm::of(bad).unwrap_err().code(),
                ErrorCode::InvalidParameterIllegalParameterError
            );
        }
        assert_eq!(LongTerm::of(Vec::new()).unwrap(), None);
        assert_eq!(LongTerm::of(vec![config.clone()]).unwrap().unwrap().describe().begin_date, "2026-01-01");
        for (start, end) in
            [("22:00", "21:00"), ("24:00", "25:00"), ("1:00", "2:00"), ("", "02:00"), ("01:00", "01:00")]
        {
            assert!(Window::parse(start, end).is_err(), "{start} {end}");
        }
        assert_eq!(
            Window::parse("01:05", "23:59").unwrap().texts(),
            ("01:05".to_owned(), "23:59".to_owned())
        );
        assert!(days(0).is_err() && days(3651).is_err() && days(3650).is_ok());
        assert!(week_days(&[]).is_err() && week_days(&["Funday".to_owned()]).is_err());
        let two = week_days(&["Sunday".to_owned(), "Monday".to_owned(), "Sunday".to_owned()]).unwrap();
        assert_eq!(two, ["Monday", "Sunday"]);
    }

    proptest! {
        #[test]
        fn windows_are_written_as_they_are_read(start in "\\PC{0,6}", end in "[0-9]{2}:[0-9]{2}") {
            if let Ok(window) = Window::parse(&start, &end) {
                prop_assert_eq!(window.texts(), (start.trim().to_owned(), end));
            }
        }
    }
}
