//! The patterns of rules over repositories and tags: `*` within a level, `**` over levels, `?` for one character, `{a, b}` for
//! alternatives, and nothing for everything (`tcr.md` §1.11).

use crate::error::Rule;

/// The longest pattern, in bytes.
const LONGEST: usize = 512;
/// How many patterns without alternatives one pattern may stand for.
const MOST: usize = 128;

/// The rule of [`Pattern::parse`].
pub(crate) const PATTERN: Rule = Rule {
    english: "must be a pattern of at most 512 characters, with closed braces and not too many alternatives",
    chinese: "须为不超过512个字符的匹配规则，花括号须成对，且可选项不能过多",
};

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// One of them has to match.
    alternatives: Vec<Vec<Token>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Character(char),
    /// `?`
    One,
    /// `*`
    Level,
    /// `**`
    Levels,
}

impl Pattern {
    /// `None` for what breaks [`PATTERN`].
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let text = if text.is_empty() { "**" } else { text };
        let alternatives = expanded(text)?;
        Some(Self { alternatives: alternatives.iter().map(|text| tokens(text)).collect() })
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.alternatives.iter().any(|tokens| matches(tokens, &text))
    }
}

/// The texts without braces that a text stands for.
fn expanded(text: &str) -> Option<Vec<String>> {
    let Some(open) = text.find('{') else {
        return if text.contains('}') { None } else { Some(vec![text.to_owned()]) };
    };
    let (before, rest) = text.split_at_checked(open)?;
    if before.contains('}') {
        return None;
    }
    let (choices, after) = choices(rest.strip_prefix('{')?)?;
    let mut texts = Vec::new();
    for choice in choices {
        // What a choice holds may have braces of its own, and so may what follows.
        texts.extend(expanded(&format!("{before}{}{after}", choice.trim()))?);
        if texts.len() > MOST {
            return None;
        }
    }
    Some(texts)
}

/// The choices up to the closing brace, and what follows it.
fn choices(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut depth, mut start, mut choices) = (0_usize, 0, Vec::new());
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            ',' if depth == 0 => {
                choices.push(text.get(start..at)?);
                start = at + 1;
            }
            '}' if depth == 0 => {
                choices.push(text.get(start..at)?);
                return Some((choices, text.get(at + 1..)?));
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for character in text.chars() {
        let token = match character {
            '*' => Token::Level,
            '?' => Token::One,
            other => Token::Character(other),
        };
        match tokens.last_mut() {
            Some(last @ (Token::Level | Token::Levels)) if token == Token::Level => *last = Token::Levels,
            _ => tokens.push(token),
        }
    }
    tokens
}

/// By the set of places in the pattern that can be reached after each character, so the cost is the product of the lengths.
fn matches(tokens: &[Token], text: &[char]) -> bool {
    let mut reached = closed(tokens, std::iter::once(0));
    for character in text {
        let next = reached.iter().enumerate().filter(|(_, there)| **there).filter_map(|(at, _)| match tokens
            .get(
            at,
        )? {
            Token::Character(wanted) => (wanted == character).then_some(at + 1),
            Token::One => (*character != '/').then_some(at + 1),
            Token::Level => (*character != '/').then_some(at),
            Token::Levels => Some(at),
        });
        reached = closed(tokens, next);
    }
    reached.last() == Some(&true)
}

/// The places, and those that follow them without a character.
fn closed(tokens: &[Token], places: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut reached = vec![false; tokens.len() + 1];
    for mut place in places {
        while let Some(there @ false) = reached.get_mut(place) {
            *there = true;
            match tokens.get(place) {
                Some(Token::Level | Token::Levels) => place += 1,
                _ => break,
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn nothing_is_everything() {
        for text in ["", "a", "a/b/c"] {
            assert!(matches("", text) && matches("**", text), "{text}");
        }
    }

    #[test]
    fn a_star_stays_on_its_level() {
        assert!(matches("v*", "v1.2") && matches("*", "v1.2") && matches("a/*/c", "a/b/c"));
        assert!(!matches("*", "a/b") && !matches("v*", "1v") && !matches("a/*", "a/b/c"));
        assert!(matches("a/**", "a/b/c") && matches("**/c", "a/b/c") && matches("release-?", "release-1"));
        assert!(
            !matches("release-?", "release-10") && !matches("a?b", "a/b") && !matches("latest", "latest1")
        );
    }

    #[test]
    fn braces_hold_alternatives() {
        for text in ["v1", "v2", "rc-a", "rc-b"] {
            assert!(matches("{v1, v2,rc-{a,b}}", text), "{text}");
        }
        assert!(
            !matches("{v1, v2}", "v3") && matches("app{,-dev}", "app") && matches("app{,-dev}", "app-dev")
        );
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        let many = "{a,b}".repeat(8);
        for pattern in ["{", "}", "a}", "{a", "{a,{b}", "}{", many.as_str(), &"a".repeat(513)] {
            assert_eq!(Pattern::parse(pattern), None, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in "[a-b*?{},/]{0,40}", text in "[a-b/]{0,40}") {
            if let Some(pattern) = Pattern::parse(&pattern) {
                pattern.matches(&text);
            }
        }

        #[test]
        fn a_text_without_signs_matches_itself_alone(text in "[a-z0-9._/-]{1,40}", other in "[a-z0-9._/-]{0,40}") {
            prop_assert!(matches(&text, &text));
            prop_assert_eq!(matches(&text, &other), text == other);
        }
    }
}
