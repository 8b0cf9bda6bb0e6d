//! Which rows of a listing a reply holds: pages counted from 1, or an offset.

use crate::cam::error::Error;

/// The most rows of a page.
const MOST: u64 = 200;
const USUAL: u64 = 20;

/// A page of `rows`, and how many there are: `Page` from 1, `Rp` rows each, 20 where nothing is said.
pub(crate) fn numbered<T>(rows: Vec<T>, page: Option<u64>, rp: Option<u64>) -> Result<(Vec<T>, u64), Error> {
    let (page, rp) = (page.unwrap_or(1), rp.unwrap_or(USUAL));
    if page == 0 {
        return Err(Error::Parameter { parameter: "Page", rule: "must be at least 1" });
    }
    if !(1..=MOST).contains(&rp) {
        return Err(Error::Parameter { parameter: "Rp", rule: "must be between 1 and 200" });
    }
    Ok(cut(rows, (page - 1).saturating_mul(rp), rp))
}

/// The rows from `Offset` on, `Limit` of them, 20 where nothing is said.
pub(crate) fn from_offset<T>(
    rows: Vec<T>,
    offset: Option<u64>,
    limit: Option<u64>,
) -> Result<(Vec<T>, u64), Error> {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::Parameter { parameter: "Limit", rule: "must be between 1 and 200" });
    }
    Ok(cut(rows, offset.unwrap_or(0), limit))
}

fn cut<T>(rows: Vec<T>, skip: u64, take: u64) -> (Vec<T>, u64) {
    let total = rows.len() as u64;
    let bounded = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    (rows.into_iter().skip(bounded(skip)).take(bounded(take)).collect(), total)
}

/// What a listing searches names for.
pub(crate) struct Keyword(String);

impl Keyword {
    /// The `Keyword` of a request; without one everything passes.
    pub(crate) fn read(keyword: Option<String>) -> Result<Self, Error> {
        let keyword = keyword.unwrap_or_default();
        if keyword.chars().count() > 200 {
            return Err(Error::KeywordTooLong);
        }
        Ok(Self(keyword.to_lowercase()))
    }

    /// Whether it is in `name`, in whatever case.
    pub(crate) fn is_in(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_count_from_one() {
        let rows = || (0..45).collect::<Vec<_>>();
        assert_eq!(numbered(rows(), None, None).unwrap(), ((0..20).collect(), 45));
        assert_eq!(numbered(rows(), Some(3), Some(20)).unwrap(), ((40..45).collect(), 45));
        assert_eq!(numbered(rows(), Some(u64::MAX), Some(200)).unwrap(), (Vec::new(), 45));
        for (page, rp) in [(Some(0), None), (None, Some(0)), (None, Some(201))] {
            assert!(matches!(numbered(rows(), page, rp), Err(Error::Parameter { .. })));
        }
        assert_eq!(from_offset(rows(), Some(44), None).unwrap(), (vec![44], 45));
        assert!(from_offset(rows(), None, Some(0)).is_err());
    }

    #[test]
    fn a_keyword_is_found_in_any_case() {
        let keyword = Keyword::read(Some("TCR".to_owned())).unwrap();
        assert!(keyword.is_in("QcloudTcrFullAccess") && !keyword.is_in("QcloudKMSFullAccess"));
        assert!(Keyword::read(None).unwrap().is_in("anything"));
        assert!(matches!(Keyword::read(Some("k".repeat(201))), Err(Error::KeywordTooLong)));
    }
}
