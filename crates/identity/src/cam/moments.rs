//! Moments as CAM writes them.

use time::{OffsetDateTime, UtcOffset};

/// The platform's own time zone, eight hours ahead.
const BEIJING: i8 = 8;

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `2020-01-29 15:18:37`, in Beijing: nearly everywhere.
pub(crate) fn local(seconds: i64) -> String {
    let at = at(seconds).to_offset(UtcOffset::from_hms(BEIJING, 0, 0).unwrap_or(UtcOffset::UTC));
    let (date, time) = (at.date(), at.time());
    format!("{date} {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// `2020-01-29`, in Beijing.
pub(crate) fn local_date(seconds: i64) -> String {
    at(seconds).to_offset(UtcOffset::from_hms(BEIJING, 0, 0).unwrap_or(UtcOffset::UTC)).date().to_string()
}

/// `2019-08-09T10:31:47Z`: versions of policies.
pub(crate) fn utc(seconds: i64) -> String {
    let at = at(seconds);
    let (date, time) = (at.date(), at.time());
    format!("{date}T{:02}:{:02}:{:02}Z", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_has_its_format() {
        assert_eq!(local(1_700_000_000), "2023-11-15 06:13:20");
        assert_eq!(local_date(1_700_000_000), "2023-11-15");
        assert_eq!(utc(1_700_000_000), "2023-11-14T22:13:20Z");
    }
}
