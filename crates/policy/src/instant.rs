//! Moments as policies write them: ISO 8601 in UTC, also with a blank for the `T` (the platform's own example), without a time, or with an offset.

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Iso8601;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

const SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// The moment that `text` names; without an offset, in UTC.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim().replacen(' ', "T", 1);
    if let Ok(day) = Date::parse(&text, DAY) {
        return Some(day.midnight().assume_utc());
    }
    if let Ok(at) = PrimitiveDateTime::parse(&text, SECONDS) {
        return Some(at.assume_utc());
    }
    OffsetDateTime::parse(&text, &Iso8601::PARSING).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn moments_in_each_form() {
        for text in [
            "2022-05-31T00:00:00Z",
            "2022-05-31 00:00:00",
            "2022-05-31T00:00:00",
            "2022-05-31",
            "2022-05-31T08:00:00+08:00",
            "2022-05-31T00:00:00.000Z",
        ] {
            assert_eq!(parse(text), Some(datetime!(2022-05-31 00:00 UTC)), "{text}");
        }
        for text in ["", "yesterday", "2022-13-01", "2022-05-31T25:00:00Z", "1653955200"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
