//! Pages by an offset, and pages by a token.

use crate::error::Error;

/// The rows from `offset` on, with how many there are and the `Offset` and `Limit` that count.
pub(crate) struct Page<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) total: u64,
    pub(crate) offset: u64,
    pub(crate) limit: u64,
}

/// A page of `rows`: 15 where nothing is said, at most `most`. The platform's pages say that an offset is a multiple of the limit; no other
/// one is refused, because its own clients send them.
pub(crate) fn page<T>(
    rows: Vec<T>,
    offset: Option<u64>,
    limit: Option<u64>,
    most: u64,
) -> Result<Page<T>, Error> {
    let (offset, limit) = (offset.unwrap_or(0), limit.unwrap_or(15));
    if !(1..=most).contains(&limit) {
        return Err(Error::Failed { what: format!("`Limit` must be between 1 and {most}") });
    }
    let total = rows.len() as u64;
    let bounded = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(Page {
        rows: rows.into_iter().skip(bounded(offset)).take(bounded(limit)).collect(),
        total,
        offset,
        limit,
    })
}

/// The rows after those that `token` counts, 50 where nothing is said, and the token of the next page: empty where there is none.
pub(crate) fn after_token<T>(
    rows: Vec<T>,
    token: Option<&str>,
    limit: Option<u64>,
    most: usize,
) -> Result<(Vec<T>, String), Error> {
    let limit = limit.map_or(Some(50), |limit| usize::try_from(limit).ok());
    let limit = limit
        .filter(|limit| (1..=most).contains(limit))
        .ok_or(Error::Parameter { parameter: "MaxResults", rule: "is out of range" })?;
    let skip = match token.filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => token.parse::<usize>().ok().filter(|at| *at <= rows.len()).ok_or(Error::Token)?,
    };
    let next = skip + limit;
    let token = if next < rows.len() { next.to_string() } else { String::new() };
    Ok((rows.into_iter().skip(skip).take(limit).collect(), token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_lead_through_all_rows() {
        let rows = || (0..7).collect::<Vec<_>>();
        let (first, token) = after_token(rows(), None, Some(3), 200).unwrap();
        let (second, token) = after_token(rows(), Some(&token), Some(3), 200).unwrap();
        let (third, last) = after_token(rows(), Some(&token), Some(3), 200).unwrap();
        assert_eq!([first, second, third].concat(), rows());
        assert_eq!(last, "");
        assert!(matches!(after_token(rows(), Some("x"), None, 200), Err(Error::Token)));
        assert!(after_token(rows(), None, Some(201), 200).is_err());
        assert_eq!(page(rows(), Some(5), Some(5), 10).unwrap().rows, [5, 6]);
        assert!(page(rows(), None, Some(11), 10).is_err());
    }
}
