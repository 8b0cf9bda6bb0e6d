//! Moments as rows keep them and as this product writes them: `YYYY-MM-DD hh:mm:ss`, eight hours ahead of UTC.

use rookery_api::mariadb::ErrorCode;
use serde::{Deserialize, Serialize};
use time::macros::{format_description, offset};
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::error::Error;

const BEIJING: UtcOffset = offset!(+8);

/// What the platform writes where there is no time.
pub(crate) const NEVER: &str = "0000-00-00 00:00:00";

/// A moment, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Moment(pub(crate) i64);

impl From<OffsetDateTime> for Moment {
    fn from(time: OffsetDateTime) -> Self {
        Self(time.unix_timestamp())
    }
}

impl Moment {
    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.whole_seconds()))
    }

    /// The same day and time so many months later; the last day of a month that is too short.
    pub(crate) fn plus_months(self, months: u32) -> Self {
        let at = self.beijing();
        let later = u32::from(u8::from(at.month())) - 1 + months;
        let year = at.year() + i32::try_from(later / 12).unwrap_or_default();
        let month = Month::January.nth_next(u8::try_from(later % 12).unwrap_or_default());
        let day = at.day().min(month.length(year));
        Date::from_calendar_date(year, month, day).map_or(self, |date| Self::from(at.replace_date(date)))
    }

    /// The day, in Beijing.
    pub(crate) fn date(self) -> Date {
        self.beijing().date()
    }

    /// So many minutes after the beginning of the same day.
    pub(crate) fn at_minute(self, minutes: i64) -> Self {
        Self::from(self.date().midnight().assume_offset(BEIJING)).plus(Duration::minutes(minutes))
    }

    pub(crate) fn text(self) -> String {
        let at = self.beijing();
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    }

    /// Order names begin with the day and the time, in digits.
    pub(crate) fn digits(self) -> String {
        self.text().chars().filter(char::is_ascii_digit).collect()
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let local = PrimitiveDateTime::parse(text.trim(), format).ok()?;
        Some(Self::from(local.assume_offset(BEIJING)))
    }

    fn beijing(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH).to_offset(BEIJING)
    }
}

/// A moment that a request may name; nothing where it does not.
pub(crate) fn asked(parameter: &str, text: Option<&str>) -> Result<Option<Moment>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    Moment::parse(text).map(Some).ok_or_else(|| {
        Error::refuse(
            ErrorCode::InvalidParameterIllegalTime,
            format!("`{parameter}` must have the form 2026-01-31 23:59:59."),
            format!("`{parameter}` 的格式须为 2026-01-31 23:59:59。"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_and_read_in_beijing() {
        let moment = Moment(1_700_000_000);
        assert_eq!(moment.text(), "2023-11-15 06:13:20");
        assert_eq!(Moment::parse(" 2023-11-15 06:13:20 "), Some(moment));
        assert_eq!(moment.digits(), "20231115061320");
        assert_eq!(Moment::parse("yesterday"), None);
        assert_eq!(moment.at_minute(90).text(), "2023-11-15 01:30:00");
    }

    #[test]
    fn months_are_calendar_months() {
        let end_of_january = Moment::parse("2024-01-31 10:00:00").unwrap();
        assert_eq!(end_of_january.plus_months(1).text(), "2024-02-29 10:00:00");
        assert_eq!(end_of_january.plus_months(13).text(), "2025-02-28 10:00:00");
    }
}
