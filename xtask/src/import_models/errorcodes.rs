//! Reads `tencentcloud/<product>/v<date>/errorcodes.py`: one string constant an error code.

use std::collections::BTreeSet;

use thiserror::Error;

/// What is not as expected in an `errorcodes.py`; line numbers start at 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ErrorCodesError {
    /// Neither blank nor a comment nor `NAME = 'Code'`.
    #[error("line {0} is not an error code")]
    Line(usize),
    /// A code that was already listed.
    #[error("line {line} lists {code} again")]
    Duplicate { line: usize, code: String },
    /// No code at all: not the file it should be.
    #[error("no error code in it")]
    Empty,
}

/// The error codes of the file.
pub(crate) fn read(text: &str) -> Result<BTreeSet<String>, ErrorCodesError> {
    let mut codes = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let code = constant(line).ok_or(ErrorCodesError::Line(number))?;
        if !codes.insert(code.to_owned()) {
            return Err(ErrorCodesError::Duplicate { line: number, code: code.to_owned() });
        }
    }
    if codes.is_empty() { Err(ErrorCodesError::Empty) } else { Ok(codes) }
}

/// The value of `NAME = 'Code'`.
fn constant(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(" = ")?;
    let code = value.strip_prefix('\'')?.strip_suffix('\'')?;
    let named = !name.is_empty()
        && name.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_');
    let coded = code.split('.').all(|part| {
        !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    });
    (named && coded).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_read_and_comments_are_skipped() {
        let text = "# -*- coding: utf8 -*-\n\n# words\nB_C = 'B.C'\n\nA1 = 'A1'\n";
        assert_eq!(read(text).unwrap().into_iter().collect::<Vec<_>>(), ["A1", "B.C"]);
    }

    #[test]
    fn any_other_line_is_refused() {
        for line in
            ["import os", "A = \"A\"", "A = 'A'  # note", "a = 'A'", "A = ''", "A = 'A.'", "A = 'A B'"]
        {
            assert_eq!(read(&format!("# head\n{line}\n")), Err(ErrorCodesError::Line(2)), "{line}");
        }
    }

    #[test]
    fn a_code_listed_twice_is_refused() {
        assert_eq!(read("A = 'A'\nB = 'A'\n"), Err(ErrorCodesError::Duplicate { line: 2, code: "A".into() }));
    }

    #[test]
    fn a_file_without_codes_is_refused() {
        assert_eq!(read("# nothing\n"), Err(ErrorCodesError::Empty));
    }
}
