//! Query strings and forms: `name=value` pairs, percent-encoded.

use percent_encoding::percent_decode;

use crate::errors::Error;

/// The decoded pairs, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes `text` (without the question mark). A plus sign is kept in a query (a media type has one) and is a space in a
    /// form, where clients encode it.
    pub(crate) fn parse(text: &str, plus_is_space: bool) -> Result<Self, Error> {
        let decode = |part: &str| {
            let part = if plus_is_space { part.replace('+', " ") } else { part.to_owned() };
            percent_decode(part.as_bytes())
                .decode_utf8()
                .map(String::from)
                .map_err(|_| Error::ParameterInvalid("not UTF-8"))
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// The first value of `name`.
    pub(crate) fn first<'q>(&'q self, name: &'q str) -> Option<&'q str> {
        self.all(name).next()
    }

    /// Every value of `name`, in order.
    pub(crate) fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The number `n` of a paged listing; `None` when absent.
    pub(crate) fn page_length(&self) -> Result<Option<usize>, Error> {
        let Some(n) = self.first("n") else { return Ok(None) };
        let is_number = !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit());
        // More than can be counted is more than any page holds.
        if is_number { Ok(Some(n.parse().unwrap_or(usize::MAX))) } else { Err(Error::ParameterInvalid("n")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Query {
        Query::parse(text, false).expect("decodes")
    }

    #[test]
    fn pairs_are_decoded_and_repeat() {
        let query = parse("digest=sha256%3Aab&scope=a&scope=b%20c&flag&artifactType=application/a+b");
        assert_eq!(query.first("digest"), Some("sha256:ab"));
        assert_eq!(query.all("scope").collect::<Vec<_>>(), ["a", "b c"]);
        assert_eq!(query.first("flag"), Some(""));
        assert_eq!(query.first("artifactType"), Some("application/a+b"));
        assert_eq!(query.first("absent"), None);
        assert_eq!(Query::parse("a=b+c", true).ok().as_ref().and_then(|form| form.first("a")), Some("b c"));
    }

    #[test]
    fn page_lengths_are_numbers() {
        assert_eq!(parse("").page_length().ok(), Some(None));
        assert_eq!(parse("n=0").page_length().ok(), Some(Some(0)));
        assert_eq!(parse("n=99999999999999999999999").page_length().ok(), Some(Some(usize::MAX)));
        for bad in ["n=", "n=-1", "n=x", "n=+1"] {
            assert!(matches!(parse(bad).page_length(), Err(Error::ParameterInvalid("n"))), "{bad}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert!(matches!(Query::parse("a=%ff", false), Err(Error::ParameterInvalid(_))));
    }

    proptest! {
        #[test]
        fn nothing_breaks_the_parser(text in "\\PC{0,60}") {
            let _ = Query::parse(&text, true);
        }
    }
}
