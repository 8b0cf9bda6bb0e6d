//! Which rows of a listing a reply holds. `Offset` means three things in this product (`tcr.md` §0.3), and every documented
//! client has to end up with every row:
//!
//! - Instances and tokens: [`records`], an offset in rows.
//! - Repositories and images: [`pages`], the number of a page, counted from 1; 0 is the first page too. Terraform treats it
//!   as an offset in rows (0, then `Limit`, then `2 * Limit`), so an `Offset` that is a multiple of `Limit` and whose page
//!   lies more than a whole page past the end is read as rows. A client that counts pages and stops at the first empty one
//!   never gets there, so it sees no row twice. With `Limit` 20, as Terraform lists images, this is complete up to 360
//!   rows; with its 200 for everything else, up to 39,600, which is above every quota.
//! - Namespaces: [`namespaces`], pages as well, but one client of the platform's maker counts from 0 and another from 1, and
//!   no single page can be both the first and the second. So where `Offset` is 0 and `Limit` at least the default, the first page
//!   holds the whole list, which quotas keep at 500 rows: whoever counts from 0 is done after one call.
//!
//! A `Limit` above the documented 100 is honoured up to [`LARGEST`]: Terraform sends 200, and takes a shorter page for the last.

use rookery_api::tcr::ErrorCode;

use crate::error::{Error, Rule};

/// Rows of a page where the request says nothing, or 0.
const DEFAULT: usize = 20;

/// The most rows that a page holds, except for the whole list of namespaces.
pub(crate) const LARGEST: usize = 1000;

const NOT_NEGATIVE: Rule = Rule { english: "must not be negative", chinese: "不能为负数" };

/// A range of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Rows before it.
    pub(crate) skip: usize,
    /// Rows in it, unless the list ends.
    pub(crate) length: usize,
}

impl Page {
    /// The whole list.
    pub(crate) const ALL: Self = Self { skip: 0, length: usize::MAX };

    /// The rows of the page.
    pub(crate) fn of<T>(self, rows: impl IntoIterator<Item = T>) -> Vec<T> {
        rows.into_iter().skip(self.skip).take(self.length).collect()
    }
}

/// `Offset` counts rows.
pub(crate) fn records(offset: Option<i64>, limit: Option<i64>) -> Result<Page, Error> {
    Ok(Page { skip: number("Offset", offset)?.unwrap_or(0), length: length(limit)? })
}

/// `Offset` counts pages from 1, or rows where it can only mean rows.
pub(crate) fn pages(offset: Option<i64>, limit: Option<i64>, total: usize) -> Result<Page, Error> {
    let (offset, length) = (number("Offset", offset)?.unwrap_or(0), length(limit)?);
    let skip = offset.saturating_sub(1).saturating_mul(length);
    let as_rows = offset >= length && offset.is_multiple_of(length) && skip >= total.saturating_add(length);
    Ok(Page { skip: if as_rows { offset } else { skip }, length })
}

/// As [`numbered`], with a hundred rows where the request says nothing.
pub(crate) fn hundreds(page: Option<i64>, size: Option<i64>) -> Result<Page, Error> {
    numbered(page, size.filter(|size| *size != 0).or(Some(100)))
}

/// `Page` counts pages from 1, and `PageSize` is their length.
pub(crate) fn numbered(page: Option<i64>, size: Option<i64>) -> Result<Page, Error> {
    let (page, size) = (number("Page", page)?.unwrap_or(0), number("PageSize", size)?.unwrap_or(0));
    let length = if size == 0 { DEFAULT } else { size.min(LARGEST) };
    Ok(Page { skip: page.saturating_sub(1).saturating_mul(length), length })
}

/// `Offset` counts pages from 1; an explicit 0 with room for a default page is the whole list.
pub(crate) fn namespaces(offset: Option<i64>, limit: Option<i64>) -> Result<Page, Error> {
    let (offset, length) = (number("Offset", offset)?, length(limit)?);
    if offset == Some(0) && length >= DEFAULT {
        return Ok(Page::ALL);
    }
    Ok(Page { skip: offset.unwrap_or(0).saturating_sub(1).saturating_mul(length), length })
}

fn length(limit: Option<i64>) -> Result<usize, Error> {
    let limit = number("Limit", limit)?.unwrap_or(0);
    Ok(if limit == 0 { DEFAULT } else { limit.min(LARGEST) })
}

fn number(parameter: &'static str, value: Option<i64>) -> Result<Option<usize>, Error> {
    let negative = |_| Error::Invalid { parameter, rule: NOT_NEGATIVE, code: ErrorCode::InvalidParameter };
    value.map(|value| usize::try_from(value).map_err(negative)).transpose()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rookery_gateway::Refusal as _;

    use super::*;

    type Lister = fn(Option<i64>, Option<i64>, usize) -> Result<Page, Error>;

    /// One call: the rows of the page.
    fn call(lister: Lister, offset: i64, limit: i64, total: usize) -> Vec<usize> {
        lister(Some(offset), Some(limit), total).unwrap().of(0..total)
    }

    /// A client that adds `step` to the offset until it has as many rows as there are.
    fn until_total(lister: Lister, first: i64, limit: i64, total: usize) -> Vec<usize> {
        let (mut rows, mut offset) = (Vec::new(), first);
        loop {
            rows.extend(call(lister, offset, limit, total));
            if rows.len() >= total {
                return rows;
            }
            offset += 1;
            assert!(offset < 10_000, "{} rows of {total}", rows.len());
        }
    }

    /// Terraform: adds the limit until a page is shorter than it.
    fn until_short(lister: Lister, limit: i64, total: usize) -> Vec<usize> {
        let (mut rows, mut offset) = (Vec::new(), 0);
        loop {
            let page = call(lister, offset, limit, total);
            let short = i64::try_from(page.len()).unwrap() < limit;
            rows.extend(page);
            if short {
                return rows;
            }
            offset += limit;
        }
    }

    fn as_records(offset: Option<i64>, limit: Option<i64>, _: usize) -> Result<Page, Error> {
        records(offset, limit)
    }

    fn as_namespaces(offset: Option<i64>, limit: Option<i64>, _: usize) -> Result<Page, Error> {
        namespaces(offset, limit)
    }

    fn all(total: usize) -> Vec<usize> {
        (0..total).collect()
    }

    #[test]
    fn every_client_gets_every_namespace() {
        for total in [0, 1, 19, 20, 21, 40, 99, 100, 101, 199, 200, 201, 399, 400, 500] {
            assert_eq!(until_total(as_namespaces, 0, 20, total), all(total), "Harbor's adapter, {total}");
            assert_eq!(until_total(as_namespaces, 1, 100, total), all(total), "image-transfer, {total}");
            assert_eq!(until_total(as_namespaces, 0, 100, total), all(total), "its older version, {total}");
            assert_eq!(until_short(as_namespaces, 200, total), all(total), "Terraform, {total}");
        }
    }

    #[test]
    fn every_client_gets_every_repository() {
        for total in [0, 1, 20, 21, 199, 200, 201, 400, 401, 5000] {
            assert_eq!(until_total(pages, 1, 20, total), all(total), "Harbor's adapter, {total}");
            assert_eq!(until_short(pages, 200, total), all(total), "Terraform, {total}");
        }
    }

    #[test]
    fn every_client_gets_every_image() {
        for total in [0, 1, 20, 21, 40, 41, 359, 360] {
            assert_eq!(until_total(pages, 1, 20, total), all(total), "Harbor's adapter, {total}");
            assert_eq!(until_total(pages, 1, 100, total), all(total), "image-transfer, {total}");
            assert_eq!(until_short(pages, 20, total), all(total), "Terraform, {total}");
        }
    }

    #[test]
    fn terraform_gets_every_instance_and_token() {
        for total in [0, 1, 199, 200, 201, 400, 999] {
            assert_eq!(until_short(as_records, 200, total), all(total), "{total}");
        }
    }

    #[test]
    fn a_small_limit_is_kept_on_the_first_page_too() {
        assert_eq!(call(as_namespaces, 0, 2, 5), [0, 1]);
        assert_eq!(call(as_namespaces, 2, 2, 5), [2, 3]);
        assert_eq!(namespaces(None, Some(200)).unwrap(), Page { skip: 0, length: 200 });
        assert_eq!(pages(Some(0), None, 50).unwrap(), pages(Some(1), Some(0), 50).unwrap());
        assert_eq!(records(None, Some(5000)).unwrap().length, LARGEST);
    }

    #[test]
    fn negative_numbers_are_refused() {
        for refused in [records(Some(-1), None), pages(None, Some(-1), 0), namespaces(Some(-1), None)] {
            assert_eq!(refused.unwrap_err().code(), ErrorCode::InvalidParameter);
        }
    }

    proptest! {
        #[test]
        fn whoever_stops_at_an_empty_page_sees_no_row_twice(total in 0_usize..700, limit in 1_i64..60) {
            let (mut rows, mut offset) = (Vec::new(), 1);
            loop {
                let page = call(pages, offset, limit, total);
                if page.is_empty() {
                    break;
                }
                rows.extend(page);
                offset += 1;
            }
            prop_assert_eq!(rows, all(total));
        }

        #[test]
        fn no_numbers_overflow(offset in 0..=i64::MAX, limit in 0..=i64::MAX, total: usize) {
            let page = pages(Some(offset), Some(limit), total).unwrap();
            prop_assert!(page.length <= LARGEST);
            prop_assert!(namespaces(Some(offset), Some(limit)).is_ok());
        }
    }
}
