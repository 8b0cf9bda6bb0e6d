//! The conditions of webhook triggers. The platform's user guide shows patterns (`*`, `**`, `?`, `{a, b}`; nothing for everything), its
//! examples of the interface regular expressions (`.*`), a bare word and `release*`, and no page says what they are held against (`tcr.md`
//! §4.1). So here a text with the signs of a regular expression is one, every other a pattern; and either may mean the tag, the
//! repository (without its namespace) or both as `repository:tag`. A regular expression only has to be found, a pattern to match the whole.

use regex::{Regex, RegexBuilder};

use crate::error::Rule;
use crate::patterns::Pattern;

/// The longest condition, in bytes.
const LONGEST: usize = 512;
/// Bytes that a compiled expression may take.
const SIZE: usize = 256 * 1024;

/// The rule of [`Condition::parse`].
pub(crate) const CONDITION: Rule = Rule {
    english: "must be a pattern or a regular expression of at most 512 characters",
    chinese: "须为不超过512个字符的匹配规则或正则表达式",
};

/// A condition.
pub(crate) enum Condition {
    Pattern(Pattern),
    Expression(Regex),
}

impl Condition {
    /// `None` for what breaks [`CONDITION`].
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        if !is_expression(text) {
            return Pattern::parse(text).map(Self::Pattern);
        }
        RegexBuilder::new(text).size_limit(SIZE).build().ok().map(Self::Expression)
    }

    /// Whether an event about this tag is meant; the repository without its namespace.
    pub(crate) fn means(&self, repository: &str, tag: &str) -> bool {
        let both = format!("{repository}:{tag}");
        [tag, repository, &both].into_iter().any(|text| match self {
            Self::Pattern(pattern) => pattern.matches(text),
            Self::Expression(expression) => expression.is_match(text),
        })
    }
}

fn is_expression(text: &str) -> bool {
    text.contains(['^', '$', '\\', '(', ')', '[', ']', '|', '+'])
        || text.contains(".*")
        || text.contains(".?")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn means(condition: &str, repository: &str, tag: &str) -> bool {
        Condition::parse(condition).unwrap().means(repository, tag)
    }

    #[test]
    fn everything_is_said_in_four_ways() {
        for condition in ["", ".*", "**", "*"] {
            assert!(means(condition, "app", "v1"), "{condition}");
        }
    }

    #[test]
    fn patterns_mean_the_tag_or_the_repository_or_both() {
        assert!(
            means("golang", "golang", "1")
                && means("golang", "app", "golang")
                && !means("golang", "golang2", "1")
        );
        assert!(means("release*", "app", "release-1") && !means("release*", "app", "v1"));
        assert!(
            means("app:v*", "app", "v1") && !means("app:v*", "other", "v1") && means("{v1, v2}", "app", "v2")
        );
        assert!(means("deep/**", "deep/down/app", "1") && !means("deep/*", "deep/down/app", "x"));
    }

    #[test]
    fn expressions_are_found() {
        assert!(means(r"^v\d+$", "app", "v12") && !means(r"^v\d+$", "app", "v1.2"));
        assert!(
            means("^app:(stable|latest)$", "app", "latest") && !means("^app:(stable|latest)$", "app", "v1")
        );
        assert!(means("v1.*", "app", "v1.2"));
    }

    #[test]
    fn what_is_neither_is_told() {
        let (long, huge) = ("a".repeat(513), format!("({})", r"\w{400}".repeat(40)));
        for condition in ["{", "(", "[a", long.as_str(), huge.as_str()] {
            assert!(Condition::parse(condition).is_none(), "{condition}");
        }
    }

    proptest! {
        #[test]
        fn no_condition_panics(condition in r"[ab*?{}(),.^$+\[\]|\\]{0,30}", tag in "[a-b]{0,20}") {
            if let Some(condition) = Condition::parse(&condition) {
                condition.means("app", &tag);
            }
        }
    }
}
