//! Patterns with `*`, which stands for any number of any characters.

/// A pattern, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// `*`, or nothing where nothing stands for everything.
    Any,
    /// No `*`.
    Exact(Box<str>),
    /// One `*`, at the end.
    Prefix(Box<str>),
    /// What is before the first `*`, between the others, and after the last.
    Parts { first: Box<str>, middle: Box<[Box<str>]>, last: Box<str> },
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let Some((first, rest)) = text.split_once('*') else { return Self::Exact(text.into()) };
        if rest.chars().all(|c| c == '*') {
            return if first.is_empty() { Self::Any } else { Self::Prefix(first.into()) };
        }
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        let middle = middle.split('*').filter(|part| !part.is_empty()).map(Into::into).collect();
        Self::Parts { first: first.into(), middle, last: last.into() }
    }

    /// Nothing stands for everything, as in the region of a resource.
    pub(crate) fn or_any(text: &str) -> Self {
        if text.is_empty() { Self::Any } else { Self::new(text) }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => **exact == *text,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Parts { first, middle, last } => {
                let Some(mut rest) = text.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last))
                else {
                    return false;
                };
                // The leftmost place of each part leaves the most room for the next.
                for part in middle {
                    let Some((_, after)) = rest.split_once(&**part) else { return false };
                    rest = after;
                }
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "x"),
            ("**", "x"),
            ("a*", "a"),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c", "ac"),
            ("a*b*c", "a-b-b-c"),
            ("Describe*", "DescribeKeys"),
            ("*a*a*", "aa"),
            ("abc", "abc"),
        ] {
            assert!(Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("a", "ab"), ("a*", "ba"), ("a*a", "a"), ("*a*a*", "a"), ("a*b*c", "acb"), ("", "a")]
        {
            assert!(!Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
        assert!(Pattern::or_any("").matches("anything"));
    }
}
