//! Moments as rows keep them, and the four ways in which this product writes them (`tcr.md` §0.2).

use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month, OffsetDateTime, UtcOffset};

/// What the platform writes where there is no time: Go's zero time.
pub(crate) const NEVER: &str = "0001-01-01T00:00:00Z";

/// Hours by which the instances' and tokens' times are ahead of UTC.
const BEIJING: i8 = 8;

/// A moment, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(i64);

impl From<OffsetDateTime> for Moment {
    fn from(time: OffsetDateTime) -> Self {
        // The years that an OffsetDateTime can hold fit in an i64 of microseconds.
        Self(i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).unwrap_or(i64::MAX))
    }
}

impl Moment {
    /// As requests say it.
    pub(crate) fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds.saturating_mul(1000))
    }

    pub(crate) fn microseconds(self) -> i64 {
        self.0
    }

    /// `ExpTime`, `ExpiredAt`.
    pub(crate) fn milliseconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The unit of a token's claims.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The moment so many seconds after 1970.
    pub(crate) fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        let microseconds = i64::try_from(duration.whole_microseconds()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(microseconds))
    }

    /// The same day and time so many months later; the last day of a month that is too short.
    pub(crate) fn plus_months(self, months: u32) -> Self {
        let at = self.time();
        let later = u32::from(u8::from(at.month())) - 1 + months;
        let year = at.year() + i32::try_from(later / 12).unwrap_or_default();
        let month = Month::January.nth_next(u8::try_from(later % 12).unwrap_or_default());
        let day = at.day().min(month.length(year));
        Date::from_calendar_date(year, month, day).map_or(self, |date| Self::from(at.replace_date(date)))
    }

    /// `2024-07-19T15:33:22+08:00`: instances and tokens.
    pub(crate) fn beijing(self) -> String {
        let offset = UtcOffset::from_hms(BEIJING, 0, 0).unwrap_or(UtcOffset::UTC);
        format!("{}T{}+08:00", date(self.time().to_offset(offset)), clock(self.time().to_offset(offset)))
    }

    /// `2024-12-10T14:04:56Z`: namespaces.
    pub(crate) fn utc(self) -> String {
        format!("{}T{}Z", date(self.time()), clock(self.time()))
    }

    /// `2022-08-06T07:31:01.207374Z`: images.
    pub(crate) fn utc_with_fraction(self) -> String {
        format!("{}T{}{}Z", date(self.time()), clock(self.time()), self.fraction())
    }

    /// `2024-12-10 14:30:36.806284 +0000 UTC`: repositories; the layout of Go's `Time.String`.
    pub(crate) fn go(self) -> String {
        format!("{} {}{} +0000 UTC", date(self.time()), clock(self.time()), self.fraction())
    }

    /// The fraction of the second as Go writes it: without trailing zeros, and without a point if nothing is left.
    fn fraction(self) -> String {
        let text = format!(".{:06}", self.0.rem_euclid(1_000_000));
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    fn time(self) -> OffsetDateTime {
        let nanoseconds = i128::from(self.0) * 1000;
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

fn date(time: OffsetDateTime) -> String {
    format!("{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day())
}

fn clock(time: OffsetDateTime) -> String {
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn each_member_has_its_format() {
        let moment = Moment::from(datetime!(2024-12-10 14:30:36.806284 UTC));
        assert_eq!(moment.go(), "2024-12-10 14:30:36.806284 +0000 UTC");
        assert_eq!(moment.utc(), "2024-12-10T14:30:36Z");
        assert_eq!(moment.utc_with_fraction(), "2024-12-10T14:30:36.806284Z");
        assert_eq!(moment.beijing(), "2024-12-10T22:30:36+08:00");
        assert_eq!(moment.milliseconds(), 1_733_841_036_806);
        assert_eq!(moment.seconds(), 1_733_841_036);
    }

    #[test]
    fn go_leaves_trailing_zeros_out() {
        let at = |time| Moment::from(time).go();
        assert_eq!(at(datetime!(2024-01-02 03:04:05.120 UTC)), "2024-01-02 03:04:05.12 +0000 UTC");
        assert_eq!(at(datetime!(2024-01-02 03:04:05 UTC)), "2024-01-02 03:04:05 +0000 UTC");
    }

    #[test]
    fn months_are_calendar_months() {
        let after = |time, months| Moment::from(time).plus_months(months).utc();
        assert_eq!(after(datetime!(2024-01-31 10:00 UTC), 1), "2024-02-29T10:00:00Z");
        assert_eq!(after(datetime!(2024-11-30 10:00 UTC), 14), "2026-01-30T10:00:00Z");
    }

    #[test]
    fn beijing_may_be_a_day_ahead() {
        assert_eq!(Moment::from(datetime!(2024-12-31 16:00 UTC)).beijing(), "2025-01-01T00:00:00+08:00");
    }
}
