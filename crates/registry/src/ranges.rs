//! The two range grammars: `Range` of a download (RFC 9110) and `Content-Range` of an upload chunk (distribution
//! specification: `<start>-<end>`, no unit).

use http::HeaderMap;
use http::header::{ETAG, HeaderName, IF_NONE_MATCH, IF_RANGE, RANGE};

/// The part of a blob that a download asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of it: no `Range`, several ranges, or a unit other than bytes.
    Whole,
    /// `length` bytes from `start`; never empty and never beyond the blob.
    Part {
        /// The first byte.
        start: u64,
        /// How many.
        length: u64,
    },
    /// Nothing that exists.
    Unsatisfiable,
}

/// What a GET with these headers wants of a blob of `size` bytes whose entity tag is `etag`.
#[must_use]
pub fn wanted(headers: &HeaderMap, size: u64, etag: &str) -> Wanted {
    // A validator that does not match means: the client's part is of something else, so send all.
    if text(headers, &IF_RANGE).is_some_and(|validator| validator != etag) {
        return Wanted::Whole;
    }
    text(headers, &RANGE).map_or(Wanted::Whole, |range| parse_range(range, size))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn parse_range(range: &str, size: u64) -> Wanted {
    let Some((unit, spec)) = range.split_once('=') else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
        return Wanted::Whole;
    }
    let Some((first, last)) = spec.trim().split_once('-') else { return Wanted::Whole };
    match (number(first), number(last)) {
        (Some(start), Some(end)) => part(start, end, size),
        (Some(start), None) if last.is_empty() => part(start, u64::MAX, size),
        (None, Some(suffix)) if first.is_empty() => {
            if suffix == 0 {
                Wanted::Unsatisfiable
            } else {
                part(size.saturating_sub(suffix), u64::MAX, size)
            }
        }
        _ => Wanted::Whole,
    }
}

/// From `start` to the inclusive `end`, clamped to `size`.
fn part(start: u64, end: u64, size: u64) -> Wanted {
    if start >= size || end < start {
        return Wanted::Unsatisfiable;
    }
    let end = end.min(size - 1);
    Wanted::Part { start, length: end - start + 1 }
}

/// Digits only: `u64::from_str` alone would take a plus sign. A number too large to hold is as good as infinity.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// An upload chunk's place: first and last byte, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Chunk {
    /// Parses `<start>-<end>`; `None` when malformed, reversed or too long to count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        let chunk = Self { start: number(start)?, end: number(end)? };
        (chunk.start <= chunk.end && chunk.end < u64::MAX).then_some(chunk)
    }

    /// How many bytes the chunk has.
    pub(crate) fn length(self) -> u64 {
        self.end - self.start + 1
    }
}

/// Whether the client already has what `etag` names (`If-None-Match`, weak comparison).
pub(crate) fn is_unmodified(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    })
}

/// The header that [`is_unmodified`] and [`wanted`] compare with.
pub(crate) const VALIDATOR: HeaderName = ETAG;

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn ranges_of_the_conformance_suite() {
        for (range, expected) in [
            ("bytes=500-1499", Wanted::Part { start: 500, length: 1000 }),
            ("bytes=500-", Wanted::Part { start: 500, length: 1548 }),
            ("bytes=-500", Wanted::Part { start: 1548, length: 500 }),
            ("bytes=2000-5000", Wanted::Part { start: 2000, length: 48 }),
            ("bytes=-5000", Wanted::Part { start: 0, length: 2048 }),
            ("bytes=0-99999999999999999999999", Wanted::Part { start: 0, length: 2048 }),
            ("bytes=500-0", Wanted::Unsatisfiable),
            ("bytes=5000-10000", Wanted::Unsatisfiable),
            ("bytes=2048-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes", Wanted::Whole),
        ] {
            assert_eq!(parse_range(range, 2048), expected, "{range}");
        }
        assert_eq!(parse_range("bytes=0-", 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn chunks_have_no_unit_and_run_forwards() {
        assert_eq!(Chunk::parse("0-0"), Some(Chunk { start: 0, end: 0 }));
        assert_eq!(Chunk::parse("5-9").map(Chunk::length), Some(5));
        for text in
            ["", "-", "1", "9-5", "bytes 0-1", "0-1/2", "a-b", "-1-2", "0-18446744073709551615", "+0-1"]
        {
            assert_eq!(Chunk::parse(text), None, "{text}");
        }
    }

    #[test]
    fn validators_decide_before_ranges() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static("bytes=0-0"));
        headers.insert(IF_RANGE, HeaderValue::from_static("\"other\""));
        assert_eq!(wanted(&headers, 9, "\"this\""), Wanted::Whole);
        headers.insert(IF_RANGE, HeaderValue::from_static("\"this\""));
        assert_eq!(wanted(&headers, 9, "\"this\""), Wanted::Part { start: 0, length: 1 });
    }

    #[test]
    fn any_listed_tag_matches() {
        let matches = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(value));
            is_unmodified(&headers, "\"a\"")
        };
        assert!(matches("\"a\"") && matches("W/\"a\"") && matches("\"b\", \"a\"") && matches("*"));
        assert!(!matches("\"b\"") && !matches("a"));
        assert!(!is_unmodified(&HeaderMap::new(), "\"a\""));
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_blob(range in "bytes=[0-9]{0,5}-[0-9]{0,5}", size in 0_u64..100_000) {
            if let Wanted::Part { start, length } = parse_range(&range, size) {
                prop_assert!(length > 0 && start + length <= size);
            }
        }

        #[test]
        fn no_range_header_breaks_the_parser(range in "\\PC{0,40}", size: u64) {
            if let Wanted::Part { start, length } = parse_range(&range, size) {
                prop_assert!(start.checked_add(length).is_some_and(|end| end <= size));
            }
        }

        #[test]
        fn chunks_read_back(start in 0_u64..1_000_000, length in 1_u64..1_000_000) {
            let end = start + length - 1;
            prop_assert_eq!(Chunk::parse(&format!("{start}-{end}")), Some(Chunk { start, end }));
        }
    }
}
