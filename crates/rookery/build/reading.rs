//! Which members of requests the sources of an action read.
//!
//! A member counts as read where code (no comment, text, import or test) takes its field: `.field`, or a pattern that names the structure and
//! the field. Members of the request itself are looked for in the files of the product that name the request's type, members of inner
//! structures everywhere in the product, for they travel. So what is reported as never read is read nowhere; a field that shares its name with
//! another one that is read may be missed.

use std::collections::BTreeSet;

/// The code of one file as tokens: words and single signs.
pub(crate) struct Code {
    tokens: Vec<String>,
}

impl Code {
    /// Takes comments, texts, imports and tests out of a source.
    pub(crate) fn of(source: &str) -> Self {
        Self { tokens: without_tests_and_imports(&tokens(source)) }
    }

    /// Whether the word occurs.
    pub(crate) fn names(&self, word: &str) -> bool {
        self.tokens.iter().any(|token| token == word)
    }

    /// The fields that are taken by `.field`, and those in patterns of the structure `name`.
    pub(crate) fn reads(&self, name: &str) -> BTreeSet<&str> {
        let mut read = BTreeSet::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let after = |steps: usize| self.tokens.get(at + steps).map_or("", String::as_str);
            if token == "." && is_word(after(1)) && after(2) != "(" {
                read.insert(after(1));
            }
            if token == name && after(1) == "{" {
                let inside = self.tokens.iter().skip(at + 2).take_while(|token| *token != "}");
                read.extend(inside.filter(|token| is_word(token)).map(String::as_str));
            }
        }
        read
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|character: char| character.is_alphabetic() || character == '_')
}

/// Words and signs; comments and texts are left out, and a raw word (`r#type`) is the word.
fn tokens(source: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else if let Some(after) = raw_text(rest) {
            rest = after;
        } else if let Some(text) = rest.strip_prefix('"') {
            rest = after_text(text);
        } else if let Some(after) = character(rest) {
            rest = after;
        } else if first.is_alphanumeric() || first == '_' {
            let rest_of_raw = rest.strip_prefix("r#").unwrap_or(rest);
            let end =
                rest_of_raw.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest_of_raw.len());
            let (word, after) = rest_of_raw.split_at(end);
            tokens.push(word.to_owned());
            rest = after;
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    tokens
}

/// What follows a text whose opening quote is gone.
fn after_text(text: &str) -> &str {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return text.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

/// What follows `r"…"` or `r#"…"#`, where the source begins with one.
fn raw_text(source: &str) -> Option<&str> {
    let opened = source.strip_prefix('r')?;
    let text = opened.trim_start_matches('#');
    let hashes = opened.len() - text.len();
    let text = text.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text.split_once(&end).map_or("", |(_, after)| after))
}

/// What follows `'x'` or `'\n'`, where the source begins with one; a lifetime is none.
fn character(source: &str) -> Option<&str> {
    let inside = source.strip_prefix('\'')?;
    if let Some(escape) = inside.strip_prefix('\\') {
        let mut characters = escape.chars();
        characters.next();
        return characters.as_str().split_once('\'').map(|(_, after)| after);
    }
    let mut characters = inside.chars();
    characters.next();
    characters.as_str().strip_prefix('\'')
}

/// Leaves out `use …;` and whatever follows `#[cfg(test)]` up to the end of its block or statement.
fn without_tests_and_imports(tokens: &[String]) -> Vec<String> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if tokens.get(at..at + TEST.len()).is_some_and(|window| window == TEST) {
            at = end_of_item(tokens, at + TEST.len());
        } else if token == "use" {
            at = tokens
                .iter()
                .skip(at)
                .position(|token| token == ";")
                .map_or(tokens.len(), |end| at + end + 1);
        } else {
            kept.push(token.clone());
            at += 1;
        }
    }
    kept
}

/// The position after the item that begins at `at`.
fn end_of_item(tokens: &[String], at: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, token) in tokens.iter().enumerate().skip(at) {
        match token.as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return offset + 1;
                }
            }
            ";" if depth == 0 => return offset + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// `EnableCosMAZ` as `enable_cos_maz`: the name of a field, and of an action's file.
pub(crate) fn snake(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| characters.get(before));
        let ends_capitals = characters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        let starts_word = before.is_some_and(|before| !before.is_ascii_uppercase() || ends_capitals);
        if character.is_ascii_uppercase() && starts_word && before != Some(&'_') {
            snake.push('_');
        }
        snake.push(if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' });
    }
    snake
}
